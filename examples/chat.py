# The same with the official Python client: pip install openai. Start the network first: npm start
import json
import os
import sys

from openai import OpenAI

dev = json.load(open(os.path.join(os.environ.get("HEURIST_HOME", ".heurist"), "dev.json")))
client = OpenAI(base_url=dev["gatewayUrl"], api_key=dev["apiKey"])
question = sys.argv[1] if len(sys.argv) > 1 else "What is Heurist?"
stream = client.chat.completions.create(model=dev["models"]["chat"], messages=[{"role": "user", "content": question}], stream=True)
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
