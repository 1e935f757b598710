"""Words that invented members are named with, and what they say about a meeting."""

_FIRST = """
Ada Adaeze Aisha Akira Alba Alma Amara Amir Ana Anouk Arjun Asha Astrid Ayla Beatriz Bela Bilal Bo Bram Camila Carlos
Cem Chidi Clara Dario Deniz Dewi Diego Dina Elena Elif Emil Enzo Esther Ezra Farah Fatima Felix Femi Finn Freya Gita
Hana Hannah Hugo Ibrahim Ida Ilya Imani Ines Iris Ivo Jae Jamal Jana Jiho Joao Jonas Juno Kai Kamala Keiko Kofi Lars
Laila Leila Leo Lina Linh Lucia Lukas Maeve Mai Malik Marisol Mateo Maya Mei Milan Mina Minh Nadia Naveen Nia Nico
Nila Noor Nora Oda Olga Omar Otis Paloma Pavel Petra Priya Quinn Rafael Rania Ravi Rosa Ruben Rui Sami Samira Santiago
Saskia Selma Sofia Soren Suki Tadeo Talia Tamar Tariq Theo Tomas Uma Vera Viktor Wanda Wren Xenia Yara Yuki Yusuf Zoe
"""

_LAST = """
Abara Achterberg Adeyemi Aguilar Akhtar Almeida Amadi Andrade Arslan Asante Aydin Baker Banerjee Barros Bauer Bello
Bergstrom Bianchi Boateng Brandt Cabrera Calder Castillo Chaudhry Chen Cohen Contreras Costa Dahl Das Delgado Demir
Diallo Dimitrov Dubois Eriksen Escobar Farouk Fernandes Fischer Fonseca Forsberg Fujita Galvez Garnier Ghosh Greco
Gupta Haddad Hakimi Hansen Hassan Hayashi Herrera Hoang Holm Hossain Ibarra Ismail Ivanova Iyer Jansen Joshi Kamara
Kang Kaplan Keita Khoury Kim Kimura Kovacs Kowalski Kruger Kumar Laurent Lindqvist Lopes Lund Mahmoud Marino Mbeki
Mehta Mendoza Mensah Moreau Morita Mueller Nakamura Ndiaye Neves Nguyen Novak Obi Okafor Okonkwo Oliveira Orlova
Osei Park Patel Pereira Petrov Pham Quiroga Rahman Ramos Rao Reyes Ricci Rosen Sato Schmidt Sharma Silva Singh
Sorensen Suzuki Tanaka Tesfaye Toure Tran Uchida Vargas Varga Virtanen Vogel Walsh Weber Yamada Yilmaz Zhang Zhou
"""

FIRST_NAMES = tuple(_FIRST.split())
LAST_NAMES = tuple(_LAST.split())

PRAISE = (
    "Time flew.",
    "Good mix of people, I would not have met them otherwise.",
    "We went on talking for an hour.",
    "Lovely round, thank you!",
    "Exactly what I needed between two lectures.",
    "Nice spot, easy to find.",
)

BLAME = (
    "It took us a while to find each other.",
    "Rather quiet.",
    "Too loud where we sat.",
    "Twenty minutes are short.",
    "One person did most of the talking.",
)
