-- One worker's roles and database: an owner that nobody logs in as, and the runtime role, which owns nothing.
-- Variables: role, owner; the environment's RUNTIME_PASSWORD_FILE holds the role's password.
\set password `cat "$RUNTIME_PASSWORD_FILE"`

SELECT format('CREATE ROLE %I NOLOGIN', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner') \gexec

SELECT format('CREATE ROLE %I LOGIN', :'role')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec

ALTER ROLE :"role" LOGIN NOINHERIT CONNECTION LIMIT 40 PASSWORD :'password';
ALTER ROLE :"role" SET plan_cache_mode = force_generic_plan;
-- Plans are made once a connection, often while tables are still empty; a sequential scan chosen then would stay for minutes.
-- Every statement is a look-up of few rows by key: a nested loop over an index, nothing else is ever wanted.
ALTER ROLE :"role" SET enable_seqscan = off;
ALTER ROLE :"role" SET enable_hashjoin = off;
ALTER ROLE :"role" SET enable_mergejoin = off;
-- The price put on a forbidden plan must not make the server compile it.
ALTER ROLE :"role" SET jit = off;
ALTER ROLE :"role" SET statement_timeout = '10s';
ALTER ROLE :"role" SET lock_timeout = '4s';
ALTER ROLE :"role" SET idle_in_transaction_session_timeout = '10s';

SELECT format('CREATE DATABASE %I OWNER %I', :'role', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'role') \gexec

REVOKE ALL ON DATABASE :"role" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"role" TO :"role";
