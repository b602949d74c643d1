"""Runs a command beside a private PostgreSQL with migrated databases: with_servers.py COMMAND ...

For the C tests of suite sql, and for work by hand. The command's environment gets PGHOST, PGPORT, PGUSER, PGPASSWORD
(libpq reads them) and TEST_DATABASE_URL, to which a database's name is to be appended.
"""
import os
import subprocess
import sys

from servers import Servers, memory_folder


def main():
    servers = Servers(memory_folder())
    try:
        servers.start("postgres")
        servers.migrate()
        port = str(servers.port["POSTGRES_PORT"])
        password = servers.secret("postgres-admin")
        environment = os.environ | {"PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": "postgres",
                                    "PGPASSWORD": password, "DATABASE_PASSWORD": password,
                                    "TEST_DATABASE_URL": f"postgresql://postgres@127.0.0.1:{port}/"}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode
    finally:
        servers.stop()


if __name__ == "__main__":
    sys.exit(main())
