import { detectSandbox, requireSandbox } from '../detect.ts'
import { startScript } from './run.ts'

/** Test support: a node that is killed with kill -9 while its program runs. Prints a line when the program does. */
const marker = process.argv[2] ?? ''
const program = await startScript(requireSandbox(await detectSandbox()), {
  perl: `use POSIX qw(setsid); $SIG{TERM}=$SIG{HUP}='IGNORE'; if (!fork()) { setsid(); if (!fork()) { $0='${marker}'; sleep 600 } exit } $|=1; print "up\\n"; sleep 600`,
})
program.stdout.pipe(process.stdout)
setInterval(() => {}, 60_000)
