// Generated from contracts/src by `npm run gen`. Do not edit.
export const podRegistryAbi = [
  {"type":"function","name":"currentVersion","inputs":[{"name":"podId","type":"bytes32"}],"outputs":[{"name":"version","type":"uint256"},{"name":"","type":"tuple","components":[{"name":"manifestHash","type":"bytes32"},{"name":"inputNanoCreditsPerMillion","type":"uint128"},{"name":"outputNanoCreditsPerMillion","type":"uint128"},{"name":"publishedAt","type":"uint64"}]}],"stateMutability":"view"},
  {"type":"function","name":"getPod","inputs":[{"name":"podId","type":"bytes32"}],"outputs":[{"name":"","type":"tuple","components":[{"name":"deployer","type":"address"},{"name":"active","type":"bool"},{"name":"versionCount","type":"uint64"}]}],"stateMutability":"view"},
  {"type":"function","name":"getVersion","inputs":[{"name":"podId","type":"bytes32"},{"name":"version","type":"uint256"}],"outputs":[{"name":"","type":"tuple","components":[{"name":"manifestHash","type":"bytes32"},{"name":"inputNanoCreditsPerMillion","type":"uint128"},{"name":"outputNanoCreditsPerMillion","type":"uint128"},{"name":"publishedAt","type":"uint64"}]}],"stateMutability":"view"},
  {"type":"function","name":"podIdOf","inputs":[{"name":"deployer","type":"address"},{"name":"name","type":"string"}],"outputs":[{"name":"podId","type":"bytes32"}],"stateMutability":"pure"},
  {"type":"function","name":"publish","inputs":[{"name":"podId","type":"bytes32"},{"name":"manifestHash","type":"bytes32"},{"name":"inputNanoCreditsPerMillion","type":"uint128"},{"name":"outputNanoCreditsPerMillion","type":"uint128"}],"outputs":[{"name":"version","type":"uint256"}],"stateMutability":"nonpayable"},
  {"type":"function","name":"register","inputs":[{"name":"name","type":"string"},{"name":"manifestHash","type":"bytes32"},{"name":"inputNanoCreditsPerMillion","type":"uint128"},{"name":"outputNanoCreditsPerMillion","type":"uint128"}],"outputs":[{"name":"podId","type":"bytes32"}],"stateMutability":"nonpayable"},
  {"type":"function","name":"setActive","inputs":[{"name":"podId","type":"bytes32"},{"name":"active","type":"bool"}],"outputs":[],"stateMutability":"nonpayable"},
  {"type":"event","name":"PodActivityChanged","inputs":[{"name":"podId","type":"bytes32","indexed":true},{"name":"active","type":"bool","indexed":false}],"anonymous":false},
  {"type":"event","name":"PodRegistered","inputs":[{"name":"podId","type":"bytes32","indexed":true},{"name":"deployer","type":"address","indexed":true},{"name":"name","type":"string","indexed":false}],"anonymous":false},
  {"type":"event","name":"PodVersionPublished","inputs":[{"name":"podId","type":"bytes32","indexed":true},{"name":"version","type":"uint256","indexed":true},{"name":"manifestHash","type":"bytes32","indexed":false},{"name":"inputNanoCreditsPerMillion","type":"uint128","indexed":false},{"name":"outputNanoCreditsPerMillion","type":"uint128","indexed":false}],"anonymous":false},
  {"type":"error","name":"PodRegistry_AlreadyRegistered","inputs":[{"name":"podId","type":"bytes32"}]},
  {"type":"error","name":"PodRegistry_NotDeployer","inputs":[{"name":"podId","type":"bytes32"},{"name":"caller","type":"address"}]},
  {"type":"error","name":"PodRegistry_UnknownPod","inputs":[{"name":"podId","type":"bytes32"}]},
  {"type":"error","name":"PodRegistry_UnknownVersion","inputs":[{"name":"podId","type":"bytes32"},{"name":"version","type":"uint256"}]},
  {"type":"error","name":"PodRegistry_ZeroManifest","inputs":[]},
  {"type":"error","name":"Shared_BadName","inputs":[{"name":"lengthBytes","type":"uint256"}]},
] as const
