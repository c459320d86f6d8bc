import { busConformance } from './conformance.ts'
import { createLocalBus } from './local.ts'

busConformance('in-process', async () => {
  const bus = createLocalBus()
  return { open: async () => bus }
})
