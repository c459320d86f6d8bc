/** Test support of this layer for tests and benches of others: a node that speaks the link protocol, a router to speak to. */
export * from './router/testing/fake-node.ts'
export * from './router/testing/harness.ts'
