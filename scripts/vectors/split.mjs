// DESIGN §5: payments around every rounding edge, with every set of parties.
import { floor, fraction } from './rational.mjs'

/** Basis points; the node gets the rest. */
const SHARES = { deployer: 800n, frontend: 500n, voters: 200n, protocol: 500n }
const PARTIES = ['deployer', 'frontend', 'voters']

export function splitVectors() {
  const payments = [0n, 1n, 12n, 13n, 19n, 20n, 124n, 125n, 9_999n, 10_000n, 10_001n, 123_456_789n, 10n ** 18n + 7n, 2n ** 88n - 1n]
  const cases = payments.flatMap(payment => [...Array(8).keys()].map(parties => ({ payment, parties })))
  const amounts = cases.map(({ payment, parties }) => {
    const isThere = role => role === 'protocol' || (parties >> PARTIES.indexOf(role)) & 1
    const shareOf = role => (isThere(role) ? floor(fraction(payment * SHARES[role], 10_000n)) : 0n)
    const others = Object.fromEntries(Object.keys(SHARES).map(role => [role, shareOf(role)]))
    return { node: Object.values(others).reduce((rest, amount) => rest - amount, payment), ...others }
  })
  const column = role => amounts.map(amount => amount[role])
  return {
    about: 'Bits of parties: 1 deployer, 2 frontend, 4 voters. Amounts in asset units.',
    payments: cases.map(({ payment }) => payment),
    parties: cases.map(({ parties }) => parties),
    node: column('node'),
    deployer: column('deployer'),
    frontend: column('frontend'),
    voters: column('voters'),
    protocol: column('protocol'),
  }
}
