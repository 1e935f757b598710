"""What the templates in stack/ are filled with: the folder, the ports, who listens where."""

import json
import os
import pwd
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote

from circle27.errors import CircleError
from circle27.paths import home
from circle27.stack.options import local_options

DATABASE = "circle27"
SUPERUSER = "postgres"
LOGIN_ROLES = ("circle27_migrator", "authenticator", "circle27_worker", "circle27_monitor")
LOOPBACK = "127.0.0.1"

# Service -> default port. `publish` is the gateway's private door for the worker; `mailbox` takes SMTP.
PORTS = {
    "gateway": 8027,
    "postgrest": 8028,
    "postgrest_admin": 8029,
    "postgrest_2": 8030,
    "postgrest_2_admin": 8031,
    "publish": 8026,
    "mailbox": 8025,
    "pgbouncer": 6427,
    "postgresql": 5427,
}


@dataclass(frozen=True)
class Settings:
    """One stack. The local one lives in `home`; containers fill the same templates with other hosts."""

    home: Path
    ports: dict[str, int]
    os_user: str  # who runs the services: PostgreSQL and PgBouncer refuse to be root
    listen: str = LOOPBACK
    trusted_network: str = f"{LOOPBACK}/32"  # where PostgreSQL takes passwords from
    hosts: dict[str, str] = field(default_factory=dict)  # service -> host; what is absent is on loopback
    rate_limits: bool = True  # off for load runs on a local stack
    connections_per_address: int = 5000  # open at once; a whole campus may sit behind one address
    allowed_origins: list[str] = field(default_factory=lambda: ["*"])  # pages that may read answers
    trusted_proxies: list[str] = field(default_factory=list)  # networks whose X-Forwarded-For is believed
    tls_cert: str = ""  # files; none: plain HTTP
    tls_key: str = ""
    more_gateways: list[str] = field(default_factory=list)  # host:port of other gateways' private doors
    # What `circle27 load tune` chooses (docs/load.md).
    pool_size: int = 20  # connections of PgBouncer to PostgreSQL
    reserve_pool_size: int = 5  # more of them, for who has waited a second
    query_wait_timeout: int = 5  # seconds for which a query waits for one
    prepared_statements: int = 0  # that PgBouncer keeps apart for each connection; needs 1.21
    rest_pool: int = 10  # connections of one PostgREST to PgBouncer
    rest_instances: int = 2  # PostgREST that the gateway uses
    rest_keepalive: int = 64  # idle connections that one process of the gateway keeps to them
    pooled: bool = True  # false: PostgREST without PgBouncer, to see what pooling costs
    local_pages: bool = False  # the clock's panel and the mailbox at the gateway: on a local stack only

    @classmethod
    def fresh(cls) -> "Settings":
        """Return settings for a stack to be made, as the environment chooses: ports (else PORTS), and options.py."""
        ports = {name: _port(name, default) for name, default in PORTS.items()}
        if len(set(ports.values())) < len(ports):
            raise CircleError(f"two services share a port: {ports}. Give each its own (CIRCLE27_<SERVICE>_PORT).")
        os_user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        return cls(home=home(), ports=ports, os_user=os_user, **{"local_pages": True, **local_options()})

    @classmethod
    def load(cls) -> "Settings | None":
        """Return the settings of the stack in `home`, or None if there is none yet."""
        try:
            stored = json.loads((home() / "stack.json").read_text("utf-8"))
        except FileNotFoundError:
            return None
        except PermissionError:
            raise CircleError(f"{home()} belongs to another user; run this as the one who ran `circle27 up`.") from None
        ports = {**PORTS, **stored.pop("ports")}  # a service that is newer than the stack has its default
        return cls(**stored, ports=ports, home=home())

    @classmethod
    def require(cls) -> "Settings":
        """Return the settings of the stack in `home`; refuse if there is none."""
        settings = cls.load()
        if settings is None:
            raise CircleError("there is no local stack yet. Start one: circle27 up")
        return settings

    def save(self) -> bool:
        """Keep the settings where `load` finds them; tell whether they are others than before."""
        stored = {key: value for key, value in asdict(self).items() if key != "home"}
        file, text = self.home / "stack.json", json.dumps(stored, indent=2) + "\n"
        changed = not file.exists() or file.read_text("utf-8") != text
        file.write_text(text, "utf-8")
        return changed

    def host(self, service: str) -> str:
        """Return the host under which the other services reach this one."""
        return self.hosts.get(service, LOOPBACK)

    def address(self, service: str) -> str:
        """Return host:port of a service."""
        return f"{self.host(service)}:{self.ports[service]}"

    def gateways(self) -> list[tuple[str, int]]:
        """Return the private doors of all gateways: the worker publishes each event at each of them."""
        others = [address.rpartition(":") for address in self.more_gateways]
        return [(self.host("publish"), self.ports["publish"]), *((host, int(port)) for host, _, port in others)]

    def url(self, service: str) -> str:
        """Return http://host:port of a service; https:// of a gateway with a certificate."""
        scheme = "https" if service == "gateway" and self.tls_cert else "http"
        return f"{scheme}://{self.address(service)}"

    def passfile(self, role: str) -> Path:
        """Return the libpq password file of one role: mode 0600, so that no password stands in a DSN."""
        return self.home / "secrets" / f"{role}.pgpass"

    def dsn(self, role: str, service: str = "postgresql", database: str = DATABASE) -> str:
        """Return the URI with which `role` connects; the password comes from the role's passfile."""
        passfile = quote(str(self.passfile(role)))
        # With an address in the URI, a PGHOSTADDR of the user's shell can't lead elsewhere.
        address = f"&hostaddr={LOOPBACK}" if self.host(service) == LOOPBACK else ""
        return f"postgresql://{role}@{self.address(service)}/{database}?passfile={passfile}{address}"

    def secret(self, name: str) -> str:
        """Return one generated secret, for the templates that must hold it."""
        return (self.home / "secrets" / name).read_text("utf-8").strip()

    @staticmethod
    def postgrest_services() -> tuple[str, ...]:
        """Return the names of the PostgREST instances; each has a port and an admin port."""
        return ("postgrest", "postgrest_2")


def _port(name: str, default: int) -> int:
    variable = f"CIRCLE27_{name.upper()}_PORT"
    text = os.environ.get(variable, str(default))
    if not text.isdigit() or not 1024 <= int(text) <= 65535:
        raise CircleError(f"{variable}={text} is not a port. Use a number from 1024 to 65535.")
    return int(text)
