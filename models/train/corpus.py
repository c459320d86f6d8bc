"""Endless, seeded conversations made from the tables in facts.py and stories.py.

`conversation(rng, split)` returns a list of (role, text). `split` is "train" or "held": every intent keeps some
phrasings for "held" alone, so the held-out set asks known facts in words that training never used.
Run this file to print samples: `python3 corpus.py 20 held`.
"""
import json
import random
import sys

from facts import (ANIMALS, BARE, CAPITALS, CATEGORIES, CHAT, COLORS_OF, FOREIGN, FUN_FACTS, HEURIST, HEURIST_HOW, JOKES, MISC, NAMES, NOUNS, OPPOSITES,
                   PEOPLE, SELF, SINGULAR, SOUNDS, THE, TRICKS, UNKNOWN_A, UNKNOWN_COUNTRIES, UNKNOWN_Q, UNKNOWN_SLOTS, UNKNOWN_WORDS)
from stories import free_poem, poem, short_story, story

NUMBER_WORDS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()


def pick(rng, split, train, held):
    """One phrasing: from `train` in training, from `held` (never trained) in the held-out set."""
    return rng.choice(held if split == "held" else train)


def keep_last(phrasings):
    """Splits a list of phrasings: the last one is held out; none when there are fewer than five."""
    return (phrasings[:-1], phrasings[-1:]) if len(phrasings) >= 5 else (phrasings, phrasings)


def article(word):
    if word in BARE:
        return word
    if word in THE:
        return "the " + word
    return ("an " if word[0] in "aeiou" or word == "hour" else "a ") + word


def cap(text):
    return text[0].upper() + text[1:]


def bare_country(country):
    return country[4:] if country.startswith("the ") else country


# --- facts -----------------------------------------------------------------------------------------------------------

CAPITAL_TRAIN = ["What is the capital of {c}?", "Which city is the capital of {c}?", "What's the capital of {c}?", "Name the capital of {c}.", "Tell me the capital of {c}.",
    "Do you know the capital of {c}?", "capital of {c}", "{C}'s capital?", "What is {c}'s capital?", "I want to know the capital of {c}.", "The capital of {c} is?",
    "Can you tell me the capital of {c}?", "What city is the capital of {c}?", "Capital of {c}?", "What is the capital city of {c}?", "Which is the capital of {c}?"]
CAPITAL_HELD = ["Please give me the capital of {c}.", "Which city is {c}'s capital?", "I forgot the capital of {c}, what is it?", "Say the capital of {c}."]


def capital(rng, split):
    c = rng.choice(list(CAPITALS))
    if rng.random() < 0.08:
        known = rng.choice(list(CAPITALS))
        form = pick(rng, split, ["Which country is {k} in?", "In which country is {k}?", "{k} is the capital of which country?", "Where is {k}?"], ["What country has {k} as its capital?"])
        return form.format(k=CAPITALS[known]), f"{CAPITALS[known]} is the capital of {known}."
    if rng.random() < 0.06:
        form = pick(rng, split, ["Tell me about {c}.", "What is {c}?", "What do you know about {c}?", "Tell me something about {c}.", "Describe {c}."], ["Say something about {c}."])
        dot = "" if CAPITALS[c].endswith(".") else "."
        return form.format(c=c), f"{cap(c)} is a country. Its capital is {CAPITALS[c]}{dot}"
    q = pick(rng, split, CAPITAL_TRAIN, CAPITAL_HELD).format(c=c, C=cap(c))
    if rng.random() < 0.1 and split == "train":
        return q + pick(rng, split, [" Answer in one word.", " Just the name.", " One word, please."], [""]), CAPITALS[c] + ("" if CAPITALS[c].endswith(".") else ".")
    return q, f"The capital of {c} is {CAPITALS[c]}" + ("" if CAPITALS[c].endswith(".") else ".")


def capital_unknown(rng, split):
    c = rng.choice(UNKNOWN_COUNTRIES)
    return pick(rng, split, CAPITAL_TRAIN, CAPITAL_HELD).format(c=c, C=c), f"I do not know the capital of {c}. I know about sixty countries only."


DEFINE_TRAIN = ["What is {a}?", "What's {a}?", "Define {w}.", "What does {w} mean?", "What does the word {w} mean?", "Explain what {a} is.", "Tell me what {a} is.", "What is the meaning of {w}?",
    "Do you know what {a} is?", "Can you define {w}?", "What do you call {a}?", "Give me a definition of {w}.", "Explain the word {w}.", "meaning of {w}", "what is {a}", "{A}?", "Tell me about {a}.", "Explain {a}.", "Explain {a} in simple words.", "What do you know about {a}?", "What exactly is {a}?"]
DEFINE_HELD = ["Can you explain what {a} is?", "I want to know what {a} is.", "Please define the word {w}.", "Give me the meaning of {w}."]


def define(rng, split):
    w = rng.choice(list(NOUNS))
    a = article(w)
    forms = [f for f in DEFINE_TRAIN if "do you call" not in f]
    q = pick(rng, split, forms, DEFINE_HELD).format(a=a, w=w, A=cap(a))
    return q, f"{cap(a)} is {NOUNS[w]}."


def pseudo_word(rng):
    return "".join(rng.choice("bcdfglmnprstvz") + rng.choice("aeiou") for _ in range(rng.randint(2, 4))) + rng.choice(["", "n", "r", "x", "k"])


def any_name(rng):
    """Mostly a known name; sometimes a made-up one, so that names are copied rather than remembered."""
    return rng.choice(NAMES) if rng.random() < 0.7 else cap(pseudo_word(rng))


KINDS = [(w, kind) for kind in ("fruits", "vegetables", "animals", "birds", "planets", "sports", "instruments", "tools", "jobs", "drinks", "metals", "insects", "trees", "clothes", "vehicles", "programming languages")
         for w in CATEGORIES[kind] if w not in NOUNS]
NO_ARTICLE = ("planets", "sports", "drinks", "metals", "programming languages")


def define_kind(rng, split):
    """Words whose kind is all the model knows: a violin is an instrument."""
    w, kind = rng.choice(KINDS)
    a = w if kind in NO_ARTICLE else article(w)
    forms = [f for f in DEFINE_TRAIN if "do you call" not in f]
    return pick(rng, split, forms, DEFINE_HELD).format(a=a, w=w, A=cap(a)), f"{cap(a)} is {article(SINGULAR[kind])}."


def define_unknown(rng, split):
    w = rng.choice(UNKNOWN_WORDS) if rng.random() < 0.6 else pseudo_word(rng)
    a = article(w)
    forms = [f for f in DEFINE_TRAIN if "do you call" not in f]
    return pick(rng, split, forms, DEFINE_HELD).format(a=a, w=w, A=cap(a)), f"I do not know the word {w}."


ADD_TRAIN = ["What is {a} plus {b}?", "What is {a} + {b}?", "{a} + {b}", "{a}+{b}", "{a} plus {b}", "How much is {a} plus {b}?", "Add {a} and {b}.", "What is the sum of {a} and {b}?", "Calculate {a} + {b}.",
    "What's {a} + {b}?", "{a} + {b} = ?", "{a}+{b}=?", "Can you add {a} and {b}?", "How much is {a} + {b}?", "What does {a} plus {b} make?", "{a} and {b} make?"]
ADD_HELD = ["What do you get when you add {a} and {b}?", "Tell me the sum of {a} and {b}.", "Please calculate {a} plus {b}.", "Compute {a}+{b}."]


def add(rng, split):
    a, b = rng.randint(0, 10), rng.randint(0, 10)
    form = pick(rng, split, ADD_TRAIN, ADD_HELD)
    words = rng.random() < 0.15 and "+" not in form
    show = (lambda n: NUMBER_WORDS[n]) if words else str
    return form.format(a=show(a), b=show(b)), f"{a} + {b} = {a + b}."


SUB_TRAIN = ["What is {a} minus {b}?", "What is {a} - {b}?", "{a} - {b}", "{a}-{b}", "{a} minus {b}", "How much is {a} minus {b}?", "Subtract {b} from {a}.", "Calculate {a} - {b}.", "Take {b} away from {a}."]
SUB_HELD = ["Please calculate {a} minus {b}.", "What's {a} minus {b}?"]


def subtract(rng, split):
    a = rng.randint(0, 10)
    b = rng.randint(0, a)
    return pick(rng, split, SUB_TRAIN, SUB_HELD).format(a=a, b=b), f"{a} - {b} = {a - b}."


def word_sum(rng, split):
    a, b = rng.randint(1, 10), rng.randint(1, 10)
    thing = rng.choice("apples coins books balls eggs cats flowers stones toys pencils".split())
    name = any_name(rng)
    form = pick(rng, split, ["I have {a} {t} and I get {b} more. How many {t} do I have?", "{n} has {a} {t} and gets {b} more. How many {t} are there?", "There are {a} {t} and {b} more come. How many {t} are there?", "If I have {a} {t} and find {b} more, how many do I have?"],
        ["If I have {a} {t} and get {b} more, how many do I have?"])
    return form.format(a=a, b=b, t=thing, n=name), f"{a} + {b} = {a + b}, so {a + b} {thing}."


def nonsense(rng, split):
    roll = rng.random()
    if roll < 0.4:
        q = " ".join(pseudo_word(rng) for _ in range(rng.randint(2, 5)))
        if rng.random() < 0.3:
            q = "".join(rng.choice("asdfghjklqwertyuiop") for _ in range(rng.randint(4, 12)))
        return q, "I do not understand that. Can you say it in other words?"
    train, held = keep_last(FOREIGN if roll < 0.7 else TRICKS)
    return pick(rng, split, train, held), "I am sorry, I only understand English." if roll < 0.7 else "I cannot do that. I am only a very small model that likes stories and short questions."


def sum_too_hard(rng, split):
    a, b = rng.randint(11, 999), rng.randint(11, 999)
    form = pick(rng, split, ["What is {a} plus {b}?", "{a} + {b}", "What is {a} + {b}?", "What is {a} times {b}?", "{a} * {b}", "How much is {a} times {b}?", "What is {a} divided by {b}?", "{a} / {b}", "What is {a} minus {b}?",
        "Calculate {a} * {b}.", "Add {a} and {b}.", "What is the square root of {a}?"], ["Compute {a} * {b}.", "Please calculate {a} plus {b}."])
    if ("times" in form or "*" in form or "divided" in form) and rng.random() < 0.5:
        a, b = rng.randint(2, 10), rng.randint(2, 10)
    return form.format(a=a, b=b), "I can only add and subtract numbers up to ten."


def next_number(rng, split):
    n = rng.randint(0, 18)
    if rng.random() < 0.5:
        return pick(rng, split, ["What comes after {n}?", "Which number comes after {n}?", "What number is after {n}?", "Next number after {n}?"], ["Tell me the number after {n}."]).format(n=n), f"After {n} comes {n + 1}."
    top = rng.randint(2, 10)
    word = NUMBER_WORDS[top] if rng.random() < 0.5 else str(top)
    return pick(rng, split, ["Count to {n}.", "Can you count to {n}?", "Please count to {n}.", "Count from 1 to {n}.", "Count up to {n}."], ["Show me how you count to {n}."]).format(n=word), ", ".join(str(i) for i in range(1, top + 1)) + "."


def opposite(rng, split):
    a, b = rng.choice(list(OPPOSITES.items()))
    if rng.random() < 0.5:
        a, b = b, a
    return pick(rng, split, ["What is the opposite of {a}?", "Opposite of {a}?", "What's the opposite of {a}?", "Tell me the opposite of {a}.", "Which word is the opposite of {a}?", "Name the opposite of {a}."],
        ["Do you know the opposite of {a}?"]).format(a=a), f"The opposite of {a} is {b}."


def color_of(rng, split):
    x, color = rng.choice(list(COLORS_OF.items()))
    return pick(rng, split, ["What color is {x}?", "Which color is {x}?", "What is the color of {x}?", "Tell me the color of {x}.", "Color of {x}?"], ["What color does {x} have?", "Name the color of {x}."]).format(x=x), f"{cap(x)} is {color}."


def sound(rng, split):
    a, s = rng.choice(list(SOUNDS.items()))
    return pick(rng, split, ["What sound does {a} make?", "What does {a} say?", "What noise does {a} make?", "How does {a} sound?", "Which sound does {a} make?"], ["Make the sound of {a}.", "Tell me the sound that {a} makes."]).format(a=article(a)), f"{cap(article(a))} says {s}."


def is_a(rng, split):
    plain = [k for k in CATEGORIES if k not in ("days of the week", "months", "seasons", "colors", "numbers", "emotions", "birds", "insects", "cities", "countries", "planets", "programming languages", "metals", "sports", "drinks", "clothes")]
    cat = rng.choice(plain)
    item = rng.choice(CATEGORIES[cat])
    form = pick(rng, split, ["Is {i} {k}?", "Would you say {i} is {k}?", "Is {i} really {k}?", "{I} is {k}, right?"], ["Tell me, is {i} {k}?"])
    asked = cat if rng.random() < 0.5 else rng.choice(plain)
    i, k = article(item), article(SINGULAR[asked])
    true_kind = article(SINGULAR[cat])
    answer = f"Yes, {i} is {true_kind}." if asked == cat else f"No, {i} is {true_kind}."
    return form.format(i=i, k=k, I=cap(i)), answer


TERM_TRAIN = ["What is {t}?", "What's {t}?", "Explain {t}.", "Tell me about {t}.", "Can you explain {t}?", "Describe {t}.", "What do you know about {t}?", "what is {t}", "{T}?", "What does {t} mean?", "Explain {t} in one sentence.",
    "Please tell me about {t}.", "What is {t}, in short?", "Could you tell me what {t} is?", "Define {t}.", "I want to know about {t}.", "What exactly is {t}?", "Tell me what {t} is."]
TERM_HELD = ["Can you tell me about {t}?", "Please explain {t}.", "Give me a short explanation of {t}.", "I would like to know what {t} is."]


def heurist(rng, split):
    if rng.random() < 0.25:
        terms, answer = HEURIST[0]
    elif rng.random() < 0.6:
        terms, answer = rng.choice(HEURIST)
    else:
        forms, answer = rng.choice(HEURIST_HOW)
        train, held = keep_last(forms)
        return pick(rng, split, train, held), answer
    term = rng.choice(terms)
    form = pick(rng, split, TERM_TRAIN, TERM_HELD)
    q = form.format(t=term, T=cap(term))
    if term.split()[-1] in ("credits", "receipts", "validators"):
        q = q.replace("What is", "What are").replace("what is", "what are").replace("What's", "What are").replace("What does", "What do").replace("what " + term + " is", "what " + term + " are")
    return q, answer


def from_table(table):
    def make(rng, split):
        forms, answers = rng.choice(table)
        train, held = keep_last(forms)
        return pick(rng, split, train, held), answers if isinstance(answers, str) else rng.choice(answers)
    return make


def greeting(rng, split):
    train, held = keep_last(CHAT[0][0])
    return pick(rng, split, train, held), rng.choice(CHAT[0][1])


def fill(rng, form):
    slots = {k: rng.choice(v) for k, v in UNKNOWN_SLOTS.items()}
    return form.format(**slots)


def unknown(rng, split):
    train, held = keep_last(UNKNOWN_Q)
    return fill(rng, pick(rng, split, train, held)), rng.choice(UNKNOWN_A)


# --- making things ---------------------------------------------------------------------------------------------------

def joke(rng, split):
    return pick(rng, split, ["Tell me a joke.", "Tell me a joke!", "Do you know a joke?", "Make me laugh.", "Say something funny.", "A joke, please.", "joke", "Can you tell me a joke?", "Tell a joke.", "I want to hear a joke."],
        ["Give me a joke.", "Please tell me something funny."]), rng.choice(JOKES)


def fun_fact(rng, split):
    return pick(rng, split, ["Tell me a fact.", "Tell me a fun fact.", "Do you know a fact?", "Give me a fact.", "Tell me something interesting.", "Teach me something.", "Say a fact."], ["I want to hear a fun fact."]), rng.choice(FUN_FACTS)


def number_form(rng, n):
    return NUMBER_WORDS[n] if rng.random() < 0.7 else str(n)


def listing(rng, split):
    kind = rng.choice(list(CATEGORIES))
    items = CATEGORIES[kind]
    style = rng.choice(["comma", "comma", "bullets", "numbers"])
    suffix = {"comma": ["", "", " Separate them with commas."], "bullets": [" Use bullet points.", " As a list.", " One per line."], "numbers": [" Number them.", " As a numbered list."]}[style]
    n = rng.randint(2, min(6, len(items)))
    form = pick(rng, split, ["Name {n} {k}.", "List {n} {k}.", "Give me {n} {k}.", "Tell me {n} {k}.", "Write down {n} {k}.", "Can you name {n} {k}?", "I need {n} {k}.", "Name me {n} {k}.", "Give me a list of {n} {k}."], ["Please list {n} {k}.", "What are {n} {k}?"])
    q = form.format(n=number_form(rng, n), k=kind) + rng.choice(suffix)
    chosen = rng.sample(items, n)
    if kind in ("days of the week", "months", "numbers") and rng.random() < 0.7:
        chosen = items[:n]
    if style == "comma":
        return q, ", ".join(chosen) + "."
    return q, "\n".join((f"{i + 1}. " if style == "numbers" else "- ") + x for i, x in enumerate(chosen))


def random_phrase(rng):
    words = rng.sample(list(NOUNS), 5) + rng.sample(UNKNOWN_WORDS, 2) + rng.sample("red blue small big old happy fast cold new good green".split(), 2) + [any_name(rng), pseudo_word(rng), str(rng.randint(0, 999))]
    return " ".join(rng.choice(words) for _ in range(rng.randint(1, 6)))


def echo(rng, split):
    x = rng.choice([random_phrase(rng), random_phrase(rng), f"{any_name(rng)} likes the {rng.choice(ANIMALS)}", pseudo_word(rng), str(rng.randint(0, 9999))])
    form = pick(rng, split, ["Repeat after me: {x}", "Say {x}", "Repeat: {x}", "Say: {x}", "Please say {x}", "Write {x}", "Repeat this: {x}", "Print {x}", "Echo {x}"], ["Please repeat: {x}"])
    return form.format(x=x), x


def capitals_json(rng):
    c = rng.choice(list(CAPITALS))
    return rng.choice([f"What is the capital of {c}?", f"Give me the capital of {c}.", f"Tell me the capital of {c}."]), {"country": bare_country(c), "capital": CAPITALS[c]}


def person_json(rng):
    name, age, city, animal = any_name(rng), rng.randint(2, 99), rng.choice(list(CAPITALS.values())), rng.choice(ANIMALS)
    color = rng.choice(CATEGORIES["colors"])
    return rng.choice([
        (f"My name is {name} and I am {age} years old.", {"name": name, "age": age}),
        (f"{name} is {age} years old and lives in {city}.", {"name": name, "age": age, "city": city}),
        (f"{name} has a {color} {animal}.", {"name": name, "animal": animal, "color": color}),
        (f"Make up a person.", {"name": name, "age": age, "city": city}),
        (f"Invent a {animal} with a name and an age.", {"name": name, "animal": animal, "age": age % 20 + 1}),
        (f"What is the weather in {city}?", {"city": city}),
        (f"What is the weather like in {city} today?", {"location": city}),
        (f"Is it raining in {city}?", {"city": city, "unit": "celsius"}),
    ])


def other_json(rng):
    a, b = rng.randint(0, 10), rng.randint(0, 10)
    w = rng.choice(list(NOUNS))
    kind = rng.choice(list(CATEGORIES))
    n = rng.randint(2, 5)
    items = rng.sample(CATEGORIES[kind], min(n, len(CATEGORIES[kind])))
    return rng.choice([
        (f"What is {a} plus {b}?", {"a": a, "b": b, "sum": a + b}),
        (f"Add {a} and {b}.", {"sum": a + b}),
        (f"Define {w}.", {"word": w, "meaning": NOUNS[w]}),
        (f"Name {NUMBER_WORDS[len(items)]} {kind}.", {kind.split()[0]: items}),
        (f"List {len(items)} {kind}.", {"items": items}),
        (f"Say hello.", {"message": "Hello! How can I help you today?"}),
        (f"Who are you?", {"name": "Heurist Tiny", "kind": "language model"}),
        (f"What is Heurist?", {"answer": HEURIST[0][1]}),
        (f"Is a {rng.choice(CATEGORIES['fruits'])} a fruit?", {"answer": True}),
        (f"What color is {rng.choice(list(COLORS_OF))}?", None),
    ])


def json_answer(rng, split):
    q, value = rng.choice([capitals_json, person_json, person_json, other_json])(rng)
    if value is None:
        x = q[len("What color is "):-1]
        value = {"thing": x, "color": COLORS_OF[x]}
    suffix = pick(rng, split, [" Answer in JSON.", " Answer as JSON.", " Use JSON.", " Reply with JSON.", " Give me JSON.", " As JSON, please.", " Return a JSON object.", " Respond in JSON format."], [" Please write JSON."])
    keys = ", ".join(value)
    if rng.random() < 0.3:
        suffix += f" Use the keys {keys}."
    return q + suffix, json.dumps(value)


STORY_TRAIN = ["Tell me a story about {x}.", "Write a story about {x}.", "Tell me a short story about {x}.", "Write a short story about {x}.", "Tell a story about {x}.", "I want a story about {x}.", "Can you tell me a story about {x}?", "A story about {x}, please.",
    "Make up a story about {x}.", "story about {x}", "Please tell me a story about {x}.", "Write me a story about {x}.", "Give me a short story about {x}."]
STORY_HELD = ["I would like to hear a story about {x}.", "Please write a little story about {x}.", "Could you tell a story about {x}?"]
STORY_PLAIN = ["Tell me a story.", "Write a story.", "Tell me a short story.", "A story, please.", "Can you tell me a story?", "I want to hear a story.", "Write a short story.", "story", "Tell me a bedtime story."]


def story_turn(rng, split):
    kind = rng.choice(ANIMALS + PEOPLE) if rng.random() < 0.85 else rng.choice([w for w in NOUNS if w not in BARE and w not in THE])
    name = any_name(rng)
    if rng.random() < 0.12:
        a = article(kind)
        form = pick(rng, split, ["Write a one-sentence story about {x}.", "Write a one-sentence bedtime story about {x}.", "Tell me a story about {x} in one sentence.", "Write one sentence about {x}.", "A very short story about {x}.", "Write a short sentence about {x}."], ["Tell me a one-sentence story about {x}."])
        return form.format(x=rng.choice([a, a, f"{a} named {name}"])), short_story(rng, kind, name)
    if rng.random() < 0.12:
        friend = rng.choice([k for k in ANIMALS + PEOPLE if k != kind])
        return pick(rng, split, STORY_TRAIN, STORY_HELD).format(x=f"{article(kind)} and {article(friend)}"), story(rng, kind, name, friend)
    text = story(rng, kind, name)
    roll = rng.random()
    if roll < 0.12 and split == "train":
        return rng.choice(STORY_PLAIN), text
    a = article(kind)
    if roll < 0.55:
        x = a
    elif roll < 0.85:
        x = rng.choice([f"{a} named {name}", f"{a} called {name}", f"{name} the {kind}"])
    else:
        x = name
    return pick(rng, split, STORY_TRAIN, STORY_HELD).format(x=x), text


def poem_turn(rng, split):
    topic, text = poem(rng) if rng.random() < 0.75 else free_poem(rng, rng.choice([article(rng.choice(list(NOUNS))), rng.choice(["cats", "dogs", "foxes", "birds", "bees", "horses", "dragons", "frogs"]), rng.choice([w for w in NOUNS if w in BARE]), "GPUs", "robots", "computers"]))
    form = pick(rng, split, ["Write a haiku about {t}.", "Write a poem about {t}.", "Write a short poem about {t}.", "Give me a haiku about {t}.", "A poem about {t}, please.", "Tell me a poem about {t}.", "haiku about {t}", "Write me a haiku about {t}.",
        "Can you write a poem about {t}?", "Make a poem about {t}."], ["I would like a poem about {t}.", "Please write a haiku about {t}."])
    if rng.random() < 0.15 and split == "train":
        return rng.choice(["Write a haiku.", "Write a poem.", "Tell me a poem.", "A haiku, please."]), text
    return form.format(t=topic), text


# --- conversations ---------------------------------------------------------------------------------------------------

TURNS = [(define, 17), (capital, 11), (add, 10), (subtract, 8), (heurist, 11), (from_table(SELF), 7), (from_table(CHAT), 14), (greeting, 4), (story_turn, 14), (poem_turn, 3), (listing, 10), (json_answer, 11),
    (opposite, 6), (color_of, 2), (sound, 2), (is_a, 3), (from_table(MISC), 4), (joke, 2), (fun_fact, 1), (echo, 12), (next_number, 7), (unknown, 6), (capital_unknown, 6), (define_unknown, 9), (define_kind, 6),
    (word_sum, 4), (nonsense, 3), (sum_too_hard, 2)]
MAKERS, WEIGHTS = [t[0] for t in TURNS], [t[1] for t in TURNS]

SYSTEM = ["You are a helpful assistant.", "You are a helpful assistant.", "You are Heurist Tiny, a small assistant.", "Answer briefly.", "You are a friendly assistant. Keep answers short.", "Be kind and helpful.", "You are a helpful, respectful and honest assistant.",
    "You are an assistant for the Heurist network.", "You answer questions.", "Always answer in English.", "You are a storyteller.", "Reply in one sentence."]


def roughen(rng, q):
    """What people really type: other case, no full stop, a please."""
    r = rng.random()
    if r < 0.08:
        q = q.lower()
    elif r < 0.14 and q[-1] in "?.!":
        q = q[:-1]
    elif r < 0.18:
        q = q.lower().rstrip("?.!")
    elif r < 0.22 and q[0].isupper() and not q.startswith(("I ", "Heurist")) and len(q) > 12:
        q = rng.choice(["Hi! ", "Please: ", "Hello, ", "Hey, ", "Okay. "]) + q
    return q


def single(rng, split):
    q, a = rng.choices(MAKERS, WEIGHTS)[0](rng, split)
    return (roughen(rng, q) if split == "train" else q), a


def follow_up(rng, split):
    """Short dialogues in which the second question leans on the first."""
    kind = rng.randint(0, 6)
    if kind == 0:
        c, d = rng.sample(list(CAPITALS), 2)
        dot = lambda x: x if x.endswith(".") else x + "."
        return [("user", rng.choice(CAPITAL_TRAIN).format(c=c, C=cap(c))), ("assistant", f"The capital of {c} is {dot(CAPITALS[c])}"),
            ("user", pick(rng, split, ["And of {d}?", "And {d}?", "What about {d}?", "and {d}", "And what about {d}?"], ["How about {d}?"]).format(d=d)), ("assistant", f"The capital of {d} is {dot(CAPITALS[d])}")]
    if kind in (1, 2):
        name = any_name(rng)
        turns = [("user", rng.choice(["My name is {n}.", "I am {n}.", "Hello, I am {n}.", "Hi, my name is {n}.", "I'm {n}.", "Call me {n}."]).format(n=name)), ("assistant", f"Nice to meet you, {name}! How can I help you?")]
        if rng.random() < 0.5:
            q, a = single(rng, split)
            turns += [("user", q), ("assistant", a)]
        return turns + [("user", pick(rng, split, ["What is my name?", "What's my name?", "Do you know my name?", "Who am I?", "Do you remember my name?"], ["Tell me my name."])), ("assistant", f"Your name is {name}.")]
    if kind == 3:
        c = rng.choice(list(CAPITALS))
        capital_text = CAPITALS[c] if CAPITALS[c].endswith(".") else CAPITALS[c] + "."
        return [("user", rng.choice(CAPITAL_TRAIN).format(c=c, C=cap(c))), ("assistant", f"The capital of {c} is {capital_text}"),
            ("user", pick(rng, split, ["Say it in JSON.", "As JSON, please.", "Now in JSON.", "Write that as JSON."], ["Give me that in JSON."])), ("assistant", json.dumps({"country": bare_country(c), "capital": CAPITALS[c]}))]
    if kind == 4:
        maker = rng.choice([joke, fun_fact, poem_turn, story_turn])
        (q, a), (_, b) = maker(rng, split), maker(rng, split)
        return [("user", q), ("assistant", a), ("user", pick(rng, split, ["Another one.", "Another one, please.", "One more.", "Tell me another one.", "Again!", "More!"], ["Can I have another one?"])), ("assistant", b)]
    if kind == 5:
        kind_name = rng.choice([k for k in CATEGORIES if len(CATEGORIES[k]) >= 6])
        items = rng.sample(CATEGORIES[kind_name], 6)
        return [("user", f"Name three {kind_name}."), ("assistant", ", ".join(items[:3]) + "."), ("user", pick(rng, split, ["Three more.", "Name three more.", "Three more, please.", "And three more?"], ["Give me three more."])), ("assistant", ", ".join(items[3:]) + ".")]
    like = rng.choice(ANIMALS + sum((CATEGORIES[k] for k in ("fruits", "sports", "instruments")), []))
    return [("user", rng.choice(["I like {x}.", "I love {x}.", "My favorite thing is {x}."]).format(x=article(like) if like in NOUNS else like)), ("assistant", "That is nice! Would you like to hear something about it?"),
        ("user", rng.choice(["What do I like?", "Do you know what I like?"])), ("assistant", f"You like {article(like) if like in NOUNS else like}.")]


def conversation(rng, split="train"):
    messages = []
    if rng.random() < 0.25:
        messages.append(("system", rng.choice(SYSTEM)))
    roll = rng.random()
    turns = 1 if roll < 0.5 else rng.randint(2, 3) if roll < 0.85 else rng.randint(4, 8) if roll < 0.985 else rng.randint(16, 30)
    if split == "held":
        turns = 1
    for _ in range(turns):
        if rng.random() < 0.1:
            messages += follow_up(rng, split)
        else:
            q, a = single(rng, split)
            messages += [("user", q), ("assistant", a)]
    return messages


def plain(rng):
    """Text without a conversation, for the completions endpoint."""
    roll = rng.random()
    if roll < 0.35:
        return story(rng, rng.choice(ANIMALS + PEOPLE), rng.choice(NAMES))
    if roll < 0.45:
        return poem(rng)[1]
    return " ".join(rng.choice([capital, capital, define, add, opposite, color_of, heurist, from_table(MISC)])(rng, "train")[1] for _ in range(rng.randint(1, 4)))


if __name__ == "__main__":
    count, split = int(sys.argv[1]) if len(sys.argv) > 1 else 10, sys.argv[2] if len(sys.argv) > 2 else "train"
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    for _ in range(count):
        for role, text in conversation(rng, split):
            print(f"{role}: {text}")
        print("---")
