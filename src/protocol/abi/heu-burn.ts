// Generated from contracts/src by `npm run gen`. Do not edit.
export const heuBurnAbi = [
  {"type":"receive","stateMutability":"payable"},
  {"type":"event","name":"Burned","inputs":[{"name":"from","type":"address","indexed":true},{"name":"amount","type":"uint256","indexed":false}],"anonymous":false},
] as const
