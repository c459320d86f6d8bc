import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

const START = '<!-- coverage -->'
const END = '<!-- /coverage -->'

function line({ section, row, status, note, sources }) {
  const links = sources.map(file => `[${file.split('/').at(-1)}](${file})`).join(', ')
  return `| ${section} | ${row} | ${status} | ${[note, links].filter(Boolean).join(' ')} |`
}

/** The README with its coverage table from docs/coverage.json. */
export async function generateReadme() {
  const rows = JSON.parse(readFileSync(join(root, 'docs/coverage.json'), 'utf8'))
  const table = ['| § | what the whitepaper asks for | status | |', '|---|---|---|---|', ...rows.map(line)].join('\n')
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  if (!readme.includes(START)) throw new Error(`README.md has no ${START}`)
  return new Map([['README.md', readme.replace(new RegExp(`${START}[^]*${END}`), `${START}\n${table}\n${END}`)]])
}
