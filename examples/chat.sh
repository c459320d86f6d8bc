#!/usr/bin/env sh
# The same with curl. Start the network first: npm start
dev="${HEURIST_HOME:-.heurist}/dev.json"
read_member() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$dev" | head -n 1; }

curl -sN "$(read_member gatewayUrl)/chat/completions" \
  -H "Authorization: Bearer $(read_member apiKey)" -H "Content-Type: application/json" \
  -d "{\"model\":\"$(read_member chat)\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"${1:-What is Heurist?}\"}]}"
