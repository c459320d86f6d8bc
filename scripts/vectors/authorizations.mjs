// Signed messages that move money, signed by viem, which is neither our TypeScript nor OpenZeppelin's Solidity: the tokens must
// take them, and our own hashing must come to the same digests.
import { hashTypedData, parseSignature } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

const CHAIN_ID = 31_337
const DEADLINE = 4_000_000_000n
const account = privateKeyToAccount(`0x${'5e'.repeat(32)}`)
const spender = `0x${'b0b'.padStart(40, '0')}`
const places = { WrappedHeu: `0x${'a1'.repeat(20)}`, StakedHeu: `0x${'a2'.repeat(20)}` }
const NAMES = { WrappedHeu: 'Wrapped HEU', StakedHeu: 'Staked HEU' }

const fields = list => list.split(',').map(field => ({ type: field.split(' ')[0], name: field.split(' ')[1] }))
const MOVE = 'address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce'
const TYPES = {
  Permit: 'address owner,address spender,uint256 value,uint256 nonce,uint256 deadline',
  TransferWithAuthorization: MOVE,
  ReceiveWithAuthorization: MOVE,
  CancelAuthorization: 'address authorizer,bytes32 nonce',
}

const permit = value => ({ owner: account.address, spender, value, nonce: 0n, deadline: DEADLINE })
const move = (value, nonce) => ({ from: account.address, to: spender, value, validAfter: 0n, validBefore: DEADLINE, nonce })
const nonce = digit => `0x${digit.repeat(64)}`

/** [contract, type, message] */
const CASES = [
  ['WrappedHeu', 'Permit', permit(10n ** 18n)],
  ['StakedHeu', 'Permit', permit(2n ** 256n - 1n)],
  ['WrappedHeu', 'TransferWithAuthorization', move(3n, nonce('1'))],
  ['WrappedHeu', 'ReceiveWithAuthorization', move(4n, nonce('2'))],
  ['WrappedHeu', 'CancelAuthorization', { authorizer: account.address, nonce: nonce('3') }],
]

async function signed([contract, primaryType, message]) {
  const domain = { name: NAMES[contract], version: '1', chainId: CHAIN_ID, verifyingContract: places[contract] }
  const typed = { domain, types: { [primaryType]: fields(TYPES[primaryType]) }, primaryType, message }
  const signature = await account.signTypedData(typed)
  const { r, s, v } = parseSignature(signature)
  return [
    `${contract}${primaryType}`,
    { ...message, fields: TYPES[primaryType], digest: hashTypedData(typed), signature, v: Number(v), r, s },
  ]
}

/** By contract and type: the message, its digest and its signature. */
export async function authorizationVectors() {
  return {
    chainId: CHAIN_ID,
    signer: account.address.toLowerCase(),
    places,
    names: NAMES,
    ...Object.fromEntries(await Promise.all(CASES.map(signed))),
  }
}
