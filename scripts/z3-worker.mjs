// A Z3 that answers while its caller waits: solc asks for an answer in the middle of a compilation.
import { workerData } from 'node:worker_threads'
import { init } from 'z3-solver'

const { port, isAnswered, stepsPerQuery } = workerData
const { Z3 } = await init()
// Steps, not seconds: a slow machine decides what a fast one does.
Z3.global_param_set('rlimit', String(stepsPerQuery))

port.on('message', async query => {
  const context = Z3.mk_context(Z3.mk_config())
  let answer
  try {
    answer = await Z3.eval_smtlib2_string(context, query)
  } catch (error) {
    answer = `unknown\n(error "${error.message}")`
  }
  Z3.del_context(context)
  port.postMessage(answer)
  Atomics.store(isAnswered, 0, 1)
  Atomics.notify(isAnswered, 0)
})
