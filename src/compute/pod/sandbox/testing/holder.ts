import { requireSandbox } from '../detect.ts'
import { kindNamed } from './kinds.ts'
import { startScript } from './run.ts'

/** Test support: a node that is killed with kill -9 while its program runs. Prints a line when the program does. */
const [, , marker = '', kind = ''] = process.argv
const program = await startScript(requireSandbox((await kindNamed(kind)).support), {
  perl: `use POSIX qw(setsid); $SIG{TERM}=$SIG{HUP}='IGNORE'; if (!fork()) { setsid(); if (!fork()) { $0='${marker}'; sleep 600 } exit } $|=1; print "up\\n"; sleep 600`,
})
program.stdout.pipe(process.stdout)
setInterval(() => {}, 60_000)
