# Fill the data directory at the first start, then serve PostgreSQL at 5432 and Redshift's drivers at 5439.
# /etc/warehouse holds: password (of the owner), pg_hba.conf (lines that come first), database.sql and data.sql (statements
# with an empty line after each). Arguments are those of `postgres`.
set -eu
data=/data/postgres
programs=/opt/postgres/bin
if [ ! -e "$data/filled" ]; then
  rm -rf "$data"
  "$programs/initdb" --pgdata="$data" --username=postgres --pwfile=/etc/warehouse/password --auth=scram-sha-256 \
    --encoding=UTF8 --locale=C.UTF-8 --no-sync
  cat /etc/warehouse/pg_hba.conf "$data/pg_hba.conf" >"$data/pg_hba.conf.new"
  mv "$data/pg_hba.conf.new" "$data/pg_hba.conf"
  "$programs/postgres" --single -j -D "$data" postgres </etc/warehouse/database.sql
  "$programs/postgres" --single -j -D "$data" warehouse </etc/warehouse/data.sql
  touch "$data/filled"
fi
python3 /opt/redshift_front.py 0.0.0.0 5439 5432 &
exec "$programs/postgres" -D "$data" "$@"
