// Generated from contracts/src by `npm run gen`. Do not edit.
export const votingPowerAbi = [
  {"type":"constructor","inputs":[{"name":"heu","type":"address"},{"name":"stakedHeu","type":"address"}],"stateMutability":"nonpayable"},
  {"type":"function","name":"CLOCK_MODE","inputs":[],"outputs":[{"name":"","type":"string"}],"stateMutability":"pure"},
  {"type":"function","name":"HEU","inputs":[],"outputs":[{"name":"","type":"address"}],"stateMutability":"view"},
  {"type":"function","name":"STAKED_HEU","inputs":[],"outputs":[{"name":"","type":"address"}],"stateMutability":"view"},
  {"type":"function","name":"clock","inputs":[],"outputs":[{"name":"","type":"uint48"}],"stateMutability":"view"},
  {"type":"function","name":"delegate","inputs":[{"name":"","type":"address"}],"outputs":[],"stateMutability":"pure"},
  {"type":"function","name":"delegateBySig","inputs":[{"name":"","type":"address"},{"name":"","type":"uint256"},{"name":"","type":"uint256"},{"name":"","type":"uint8"},{"name":"","type":"bytes32"},{"name":"","type":"bytes32"}],"outputs":[],"stateMutability":"pure"},
  {"type":"function","name":"delegates","inputs":[{"name":"","type":"address"}],"outputs":[{"name":"","type":"address"}],"stateMutability":"pure"},
  {"type":"function","name":"getPastTotalSupply","inputs":[{"name":"timepoint","type":"uint256"}],"outputs":[{"name":"","type":"uint256"}],"stateMutability":"view"},
  {"type":"function","name":"getPastVotes","inputs":[{"name":"account","type":"address"},{"name":"timepoint","type":"uint256"}],"outputs":[{"name":"","type":"uint256"}],"stateMutability":"view"},
  {"type":"function","name":"getVotes","inputs":[{"name":"account","type":"address"}],"outputs":[{"name":"","type":"uint256"}],"stateMutability":"view"},
  {"type":"event","name":"DelegateChanged","inputs":[{"name":"delegator","type":"address","indexed":true},{"name":"fromDelegate","type":"address","indexed":true},{"name":"toDelegate","type":"address","indexed":true}],"anonymous":false},
  {"type":"event","name":"DelegateVotesChanged","inputs":[{"name":"delegate","type":"address","indexed":true},{"name":"previousVotes","type":"uint256","indexed":false},{"name":"newVotes","type":"uint256","indexed":false}],"anonymous":false},
  {"type":"error","name":"VotesExpiredSignature","inputs":[{"name":"expiry","type":"uint256"}]},
  {"type":"error","name":"VotingPower_DelegateOnTheTokens","inputs":[]},
  {"type":"error","name":"VotingPower_OtherClock","inputs":[]},
] as const
