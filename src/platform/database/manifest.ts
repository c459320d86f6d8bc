import type pg from 'pg'

/** The schema as the server has it, in a form that is easy to compare. */
export type SchemaManifest = { readonly version: number; readonly tables: Readonly<Record<string, TableManifest>> }
/** Definitions by name. */
type TableManifest = Record<'columns' | 'constraints' | 'indexes' | 'triggers', Record<string, string>>

const COLUMNS = `
select c.table_name as table, c.column_name as name,
  concat_ws(' ', format_type(a.atttypid, a.atttypmod), case when c.is_nullable = 'NO' then 'not null' end,
    case when c.is_identity = 'YES' then 'identity' end, 'default ' || c.column_default) as definition
from information_schema.columns c
join pg_attribute a on a.attrelid = c.table_name::regclass and a.attname = c.column_name
where c.table_schema = 'public' order by c.table_name, c.ordinal_position`

// Constraints that say "not null" are in the columns; before PostgreSQL 18 they were not listed at all.
const CONSTRAINTS = `
select conrelid::regclass::text as table, conname as name, pg_get_constraintdef(oid) as definition from pg_constraint
where connamespace = 'public'::regnamespace and contype <> 'n' order by 1, 2`
const INDEXES = `select tablename as table, indexname as name, indexdef as definition from pg_indexes where schemaname = 'public' order by 1, 2`
const TRIGGERS = `
select tgrelid::regclass::text as table, tgname as name, pg_get_triggerdef(oid) as definition from pg_trigger where not tgisinternal order by 1, 2`

/** Reads the manifest of a migrated database. The committed `schema.manifest.json` must equal it. */
export async function readSchemaManifest(client: pg.Client): Promise<SchemaManifest> {
  const { rows: versions } = await client.query('select max(version)::integer as version from schema_version')
  const tables: Record<string, TableManifest> = {}
  for (const [kind, sql] of Object.entries({ columns: COLUMNS, constraints: CONSTRAINTS, indexes: INDEXES, triggers: TRIGGERS })) {
    for (const { table, name, definition } of (await client.query(sql)).rows) {
      tables[table] ??= { columns: {}, constraints: {}, indexes: {}, triggers: {} }
      tables[table][kind as keyof TableManifest][name] = definition // cast: a key of the object above
    }
  }
  return { version: versions[0].version, tables }
}
