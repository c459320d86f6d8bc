"""Ids that SentencePiece gives, for the test that trainer and runtime tokenise alike. `python3 fixtures.py DIR > FILE`."""
import json
import sys

import sentencepiece as spm

SENTENCES = [
    "Hello", "Hello, world!", "What is Heurist?", "what is heurist", " a leading space", "a trailing space ", "two  spaces   three", "   ", "", "The capital of France is Paris.", "7 + 8 = 15.", "1234567890", "a\nb\n\nc", "tab\there",
    "{\"name\": \"Mia\", \"age\": 7}", "- apple\n- pear", "don't can't won't", "naïve café", "Привет", "日本語", "emoji 😀 👨‍👩‍👧", "e\u0301 combining", "\u2581 the separator itself", "<|user|> as text", "<s></s>", "<0x0A>", "ALL CAPS", "mixedCase_snake-case",
    "https://example.com/a?b=c#d", "supercalifragilisticexpialidocious", "Once upon a time there was a happy cat named Zorblax.", "\"Come in,\" said Pip.", "\u00a0non-breaking\u00a0", "zero\u200bwidth", "\r\nwindows", "\x01control",
]

if __name__ == "__main__":
    sp = spm.SentencePieceProcessor(model_file=sys.argv[1] + "/spm.model")
    sys.stdout.write("[\n" + ",\n".join(json.dumps({"text": s, "ids": sp.encode(s)}) for s in SENTENCES) + "\n]\n")
