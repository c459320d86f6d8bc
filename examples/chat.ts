// Streams one answer with the official OpenAI client. Start the network first: npm start
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import OpenAI from 'openai'

const home = process.env.HEURIST_HOME ?? '.heurist'
const { gatewayUrl, apiKey, models } = JSON.parse(readFileSync(join(home, 'dev.json'), 'utf8'))

const openai = new OpenAI({ baseURL: gatewayUrl, apiKey })
const stream = await openai.chat.completions.create({
  model: models.chat,
  messages: [{ role: 'user', content: process.argv[2] ?? 'What is Heurist?' }],
  stream: true,
  stream_options: { include_usage: true },
})
for await (const chunk of stream) {
  process.stdout.write(chunk.choices[0]?.delta.content ?? '')
  if (chunk.usage) console.log(`\n[${chunk.usage.prompt_tokens} + ${chunk.usage.completion_tokens} tokens]`)
}
