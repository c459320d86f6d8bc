import { readFileSync } from 'node:fs'
import { z } from 'zod'

const column = z.array(z.union([z.string(), z.number()]).transform(BigInt))

/** Rows of one table of `vectors/<name>.json`; every cell a bigint. @throws when a column is missing or not as long as the others */
export function vectorRows<const Names extends readonly string[]>(
  name: string,
  table: string,
  names: Names,
): Record<Names[number], bigint>[] {
  const file: unknown = JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8'))
  const columns = z.record(z.string(), z.record(z.string(), z.unknown()).or(z.unknown())).parse(file)[table]
  const cells = names.map(column_ => column.parse(z.record(z.string(), z.unknown()).parse(columns)[column_]))
  const length = cells[0]?.length ?? 0
  if (length === 0 || cells.some(cell => cell.length !== length)) throw new Error(`vectors/${name}.json ${table}: uneven columns`)
  return Array.from({ length }, (_, index) => {
    const row: Partial<Record<Names[number], bigint>> = {}
    names.forEach((column_: Names[number], at) => {
      row[column_] = cells[at]?.[index] ?? 0n
    })
    // cast: every name of Names got its cell in the loop above.
    return row as Record<Names[number], bigint>
  })
}
