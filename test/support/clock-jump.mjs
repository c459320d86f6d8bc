// Loaded before a role (node --import): SIGUSR2 moves what the process takes for the time of day an hour ahead, and the next one back.
const now = Date.now
let aheadMs = 0
Date.now = () => now() + aheadMs
process.on('SIGUSR2', () => {
  aheadMs = aheadMs === 0 ? 3_600_000 : 0
})
