"""Rewrites the measured part of models/heurist-tiny/README.md from evaluation.json. `python3 card.py`."""
import json
import os
import re

HOME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "heurist-tiny")
START, END = "<!-- measured: written by train/card.py -->", "<!-- end of measured -->"


def table(e):
    yield "| what | phrasing | right | asked | right at temperature 1 |\n|---|---|---|---|---|"
    for group, by in e["scores"].items():
        for phrasing, s in by.items():
            yield f"| {group} | {phrasing} | {s['right']} | {s['asked']} | {e['scoresAtTemperature1'][group][phrasing]['right']} |"
    for phrasing in ("trained", "held-out"):
        cell = lambda scores, key: sum(by[phrasing][key] for by in scores.values() if phrasing in by)
        yield f"| **all** | {phrasing} | **{cell(e['scores'], 'right')}** | {cell(e['scores'], 'asked')} | {cell(e['scoresAtTemperature1'], 'right')} |"


def quote(text):
    return "<br>".join(line.replace("|", "\\|").replace("<", "&lt;") for line in text.split("\n"))


def free(e):
    yield "| asked | answered |\n|---|---|"
    for turns in e["free"]:
        for i, turn in enumerate(turns):
            yield f"| {'↳ ' if i else ''}{quote(turn['user'])} | {quote(turn['assistant'])}{'' if turn['ended'] else ' **(did not end)**'} |"


if __name__ == "__main__":
    e = json.load(open(os.path.join(HOME, "evaluation.json"), encoding="utf-8"))
    ms = e["cpuMs"] / e["generatedTokens"]
    body = "\n".join([
        START, "", "### Known facts", "",
        f"Runtime: {e['runtime']}. An answer counts only when it equals the taught sentence, letter for letter. Every wrong answer is in `evaluation.json` (`wrong`), every question in `evalset.json`.",
        f"The greedy run and the questions below took {e['cpuMs'] / 1000:.1f} CPU seconds for {e['generatedTokens']} generated tokens, prompts included ({ms:.2f} ms a token).", "",
        *table(e), "", "### Free questions, greedy", "", "All that were asked, in order; `↳` continues the dialogue above it.", "", *free(e), "", END])
    path = os.path.join(HOME, "README.md")
    page = open(path, encoding="utf-8").read()
    open(path, "w", encoding="utf-8").write(re.sub(re.escape(START) + ".*" + re.escape(END), lambda _: body, page, flags=re.S))
