"""The warehouse of the demo and of the tests: orders as Snowflake has them, behaviour as Redshift has it.

Everything follows from a row's number, so that counts can be asserted. Some rows break their contract on purpose.
"""

from dataclasses import dataclass

ORDERS = 2_000
EVENTS = 5_000
READER, READER_PASSWORD = "lakehouse", "lakehouse-dev-reader"
_DEFECT_EVERY = 400  # rows
_CHANGED, _ADDED, _DELETED, _LATE = 100, 50, 10, 5


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many rows of a table satisfy their contract, and how many do not."""

    accepted: int
    refused: int


ORDER_COUNTS = Counts(accepted=ORDERS - ORDERS // _DEFECT_EVERY, refused=ORDERS // _DEFECT_EVERY)
EVENT_COUNTS = Counts(accepted=EVENTS - EVENTS // _DEFECT_EVERY, refused=EVENTS // _DEFECT_EVERY)
CHANGED_ORDERS = _CHANGED + _ADDED + _DELETED
"""Rows whose UPDATED_AT is newer after CHANGE_ORDERS than all before it."""
LATE_ORDERS = _LATE
"""Rows that CHANGE_ORDERS adds behind the newest one of before, within 15 minutes of it."""

_STATUS = "(ARRAY['PLACED', 'PAID', 'SHIPPED', 'DELIVERED', 'CANCELLED', 'RETURNED'])"
_FIRST = "timestamptz '2026-11-01 00:00:00.000001+00'"

CREATE_ORDERS = """\
CREATE TABLE "ORDERS" (
  "ORDER_ID" numeric(38,0) PRIMARY KEY,
  "ORDER_SEQ" numeric(38,0) NOT NULL,
  "CUSTOMER_ID" numeric(38,0) NOT NULL,
  "ORDER_STATUS" varchar(20) NOT NULL,
  "ORDER_DATE" date NOT NULL,
  "CHANNEL" varchar(40),
  "CURRENCY" varchar(8) NOT NULL,
  "SUBTOTAL_AMOUNT" numeric(18,2),
  "DISCOUNT_AMOUNT" numeric(18,2),
  "TAX_AMOUNT" numeric(18,2),
  "TOTAL_AMOUNT" numeric(18,2) NOT NULL,
  "LINE_ITEMS" jsonb,
  "SHIP_COUNTRY" char(2),
  "CREATED_AT" timestamptz NOT NULL,
  "UPDATED_AT" timestamptz NOT NULL,
  "IS_DELETED" boolean NOT NULL DEFAULT false
);
CREATE INDEX ON "ORDERS" ("UPDATED_AT");
"""


def _orders(first: int, last: int, updated: str) -> str:
    """Insert orders by number, the time of their last change being an expression of the number `n`."""
    return f"""\
INSERT INTO "ORDERS"
SELECT n, 1, 1 + n % 700, {_STATUS}[1 + n % 6], ({_FIRST} + n * interval '7 minutes')::date,
  CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN 'web' WHEN 2 THEN 'store' ELSE 'partner' END,
  CASE WHEN n % {_DEFECT_EVERY} = 0 THEN 'euro' ELSE (ARRAY['EUR', 'USD', 'GBP'])[1 + n % 3] END,
  (n % 900) + 0.99, CASE WHEN n % 5 = 0 THEN (n % 40) * 0.10 END, round((n % 900) * 0.19, 2),
  round((n % 900) * 1.19, 2) + 0.99,
  jsonb_build_array(jsonb_build_object('sku', 'SKU-' || n % 321, 'quantity', 1 + n % 4, 'unit_price', n % 90)),
  (ARRAY['DE', 'FR', 'AT', 'US'])[1 + n % 4], {_FIRST} + n * interval '7 minutes', {updated}, false
FROM generate_series({first}, {last}) AS n;
"""


FILL_ORDERS = _orders(1, ORDERS, f"{_FIRST} + n * interval '7 minutes'")
_NEWEST = f"{_FIRST} + {ORDERS} * interval '7 minutes'"
CHANGE_ORDERS = f"""\
UPDATE "ORDERS" SET "ORDER_SEQ" = "ORDER_SEQ" + 1, "ORDER_STATUS" = 'DELIVERED',
  "UPDATED_AT" = {_NEWEST} + "ORDER_ID"::int * interval '1 second'
WHERE "ORDER_ID" BETWEEN 1 AND {_CHANGED};
UPDATE "ORDERS" SET "ORDER_SEQ" = "ORDER_SEQ" + 1, "IS_DELETED" = true,
  "UPDATED_AT" = {_NEWEST} + "ORDER_ID"::int * interval '1 second'
WHERE "ORDER_ID" BETWEEN {_CHANGED + 1} AND {_CHANGED + _DELETED};
{_orders(ORDERS + 1, ORDERS + _ADDED, f"{_NEWEST} + (n % {ORDERS}) * interval '1 minute'")}
{_orders(ORDERS + _ADDED + 1, ORDERS + _ADDED + _LATE, f"{_NEWEST} - (n % 10) * interval '1 minute'")}"""

CREATE_BEHAVIOR = """\
CREATE TABLE behavior (
  event_id bigint NOT NULL,
  session_id char(32) NOT NULL,
  user_id bigint,
  event_type varchar(32) NOT NULL,
  event_time timestamp NOT NULL,
  page_path varchar(2048),
  referrer varchar(2048),
  search_term varchar(255),
  product_id integer,
  quantity integer,
  revenue numeric(12,2),
  duration integer,
  device varchar(16),
  country char(2),
  ip varchar(45),
  properties varchar(65535),
  loaded_at timestamp NOT NULL
);
CREATE INDEX ON behavior (loaded_at);
"""
FILL_BEHAVIOR = f"""\
INSERT INTO behavior
SELECT n, md5((n / 8)::text), CASE WHEN n % 3 > 0 THEN 1 + n % 900 END,
  CASE WHEN n % {_DEFECT_EVERY} = 0 THEN 'teleport' ELSE (ARRAY['page_view', 'search', 'add_to_cart', 'purchase'])
    [1 + n % 4] END,
  timestamp '2026-11-20 00:00:00' + n * interval '11 seconds', '/p/' || n % 77,
  CASE WHEN n % 6 = 0 THEN 'https://example.org/' || n % 9 END, CASE WHEN n % 4 = 1 THEN 'shoes ' || n % 50 END,
  CASE WHEN n % 4 > 1 THEN 1 + n % 321 END, CASE WHEN n % 4 > 1 THEN 1 + n % 3 END,
  CASE WHEN n % 4 = 3 THEN (n % 5000) * 0.01 END, n % 60000, (ARRAY['desktop', 'mobile', 'tablet'])[1 + n % 3],
  (ARRAY['DE', 'FR', 'AT', 'US'])[1 + n % 4], '198.51.100.' || n % 250, '{{"ab": "' || n % 2 || '"}}',
  timestamp '2026-11-20 00:05:00' + (n / 100) * interval '20 minutes'
FROM generate_series(1, {EVENTS}) AS n;
"""


GETDATE = """\
CREATE FUNCTION getdate() RETURNS timestamp LANGUAGE sql AS $$ SELECT clock_timestamp() AT TIME ZONE 'UTC' $$;
"""
"""What Redshift has and PostgreSQL has not."""


def roles(redshift: str) -> str:
    """Create who reads: READER, and the role that Redshift's driver logs in as."""
    return "".join(
        f"CREATE ROLE {name} LOGIN PASSWORD '{READER_PASSWORD}';\n"
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name};\n"
        for name in (READER, redshift)
    )
