/** Fixed kernel of GPUs: a prompt of 512 tokens through two layers of a Llama of width 1,024 in float32. The name changes with the arithmetic. */
export const LLAMA_KERNEL = 'llama-prefill-f32-1024-v1'
