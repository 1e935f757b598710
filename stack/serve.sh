#!/bin/sh
# serve.sh PROGRAM ARGUMENT...: run a service whose children outlive it when it is killed with -9.
#
# A killed nginx master leaves workers that hold the port; a killed postmaster leaves backends that hold the
# shared memory. They are known by their program and by a working directory in the stack's folder (this one). What they
# hold is free when they are gone, not when they are told to go: starting sooner fails, and is tried again seconds later.
program=$(readlink -f "$1")
for exe in $(find /proc/[0-9]* -maxdepth 1 -name exe -lname "$program" 2>/dev/null); do
  process=${exe%/exe}
  case "$(readlink "$process/cwd")/" in
    "$PWD"/*)
      kill -KILL "${process#/proc/}"
      while [ -e "$exe" ]; do sleep 0.02; done
      ;;
  esac
done
exec "$@"
