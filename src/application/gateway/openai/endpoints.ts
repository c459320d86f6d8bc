import type { Endpoint } from '../endpoint.ts'
import { chatBounds, completionBounds, embeddingBounds } from '../units.ts'
import { chatAnswer, chatChunks } from './chat.ts'
import { completionAnswer, completionChunks } from './completions.ts'
import { embeddingAnswer } from './embeddings.ts'
import {
  type ChatRequest,
  type CompletionRequest,
  chatRequestSchema,
  completionRequestSchema,
  type EmbeddingRequest,
  embeddingRequestSchema,
} from './requests.ts'

export const CHAT: Endpoint<ChatRequest> = {
  path: '/chat/completions',
  kind: 'chat',
  schema: chatRequestSchema,
  idPrefix: 'chatcmpl-',
  bounds: chatBounds,
  answer: chatAnswer,
  chunks: (head, request) => chatChunks(head, request.stream_options?.include_usage === true),
}

export const COMPLETION: Endpoint<CompletionRequest> = {
  path: '/completions',
  kind: 'completion',
  schema: completionRequestSchema,
  idPrefix: 'cmpl-',
  bounds: completionBounds,
  answer: completionAnswer,
  chunks: (head, request) => completionChunks(head, request.stream_options?.include_usage === true),
}

export const EMBEDDING: Endpoint<EmbeddingRequest> = {
  path: '/embeddings',
  kind: 'embedding',
  schema: embeddingRequestSchema,
  idPrefix: 'embd-',
  bounds: embeddingBounds,
  answer: (head, job, collected, request) =>
    embeddingAnswer(head, job, collected, request.encoding_format === 'base64' ? 'base64' : 'float'),
  chunks: null,
}
