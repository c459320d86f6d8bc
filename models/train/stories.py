"""Stories and three-line poems from small grammars: every slot is drawn, so two seeds give two stories."""

PLACES = ["near the park", "in a small village", "by the sea", "at the edge of the forest", "on a green hill", "in a big city", "on a quiet farm", "near a blue lake", "in an old castle", "under a tall tree"]
MOODS = ["happy", "shy", "brave", "kind", "curious", "lazy", "clever", "small", "funny", "quiet"]
FRIENDS = ["cat", "dog", "fox", "owl", "mouse", "rabbit", "frog", "duck", "bear", "bird"]
FRIEND_NAMES = ["Pip", "Momo", "Tilly", "Bo", "Nell", "Gus", "Wren", "Kiki", "Dot", "Hazel"]
THINGS = ["red ball", "golden key", "old map", "little boat", "blue kite", "shiny coin", "big book", "silver bell", "warm hat", "magic stone"]
FOODS = ["an apple", "a piece of cake", "some bread", "a bowl of soup", "some honey", "a ripe pear"]
LEARNED = ["that friends help each other", "that it is good to share", "to be brave", "that small steps lead far", "to listen before speaking", "that asking for help is not bad", "to be patient", "that kindness comes back"]
ENDINGS = ["And they were friends forever.", "{N} slept well that night.", "It was the best day of all.", "From that day on, {N} was never lonely again.", "And {N} smiled all the way home.", "The end."]

PLOTS = [
    ["One day, {N} found a {t}. {N} did not know whose it was. So {N} asked {F}, the {f}.", "\"That is mine,\" said {F}. \"I lost it yesterday!\" {N} gave it back at once.", "{F} was so glad that they ate {o} together."],
    ["One day, {N} lost a {t}. {N} looked in the house and in the garden, but it was not there.", "Then {F}, the {f}, came by. \"Let us look together,\" said {F}. They found it under a leaf.", "{N} said thank you and shared {o} with {F}."],
    ["One day, it began to rain. {N} was wet and cold and could not find the way home.", "Then {N} saw a light. It was the house of {F}, the {f}. \"Come in,\" said {F}.", "They sat by the fire and ate {o} until the rain stopped."],
    ["One night, {N} heard a strange sound. {N} was afraid, but went to look.", "It was only {F}, the {f}, who could not sleep. \"Tell me about the stars,\" said {F}.", "So they looked at the sky until both were tired."],
    ["{N} wanted to cross the river, but the water was deep.", "{F}, the {f}, had an idea. They made a bridge from an old tree.", "On the other side they found a {t} and took it home."],
    ["{N} wanted to learn to sing. At first it sounded very bad.", "{F}, the {f}, said: \"Try again every day.\" And {N} tried again every day.", "In the spring, {N} sang for everyone, and everyone was happy."],
    ["One morning, {N} saw a {t} at the top of a tree. It was too high to reach.", "{N} jumped and jumped, but could not get it. Then {F}, the {f}, came. {F} stood on the back of {N}.", "Together they were tall enough. They laughed and played all day."],
    ["{N} had no friends and felt alone. One day, {N} met {F}, the {f}, who was sad too.", "\"Would you like to play?\" asked {N}. \"Yes!\" said {F}.", "They played with a {t} until the evening."],
    ["It was the birthday of {N}, but nobody came. {N} was very sad.", "Then the door opened. There stood {F}, the {f}, with a {t}. \"Surprise!\" said {F}.", "They ate {o} and danced until night."],
    ["One winter, the snow was deep and {N} had nothing to eat.", "{F}, the {f}, had only {o}. \"Half of it is for you,\" said {F}.", "In the summer, {N} gave {F} a {t} to say thank you."],
]


def story(rng, kind, name, friend=None):
    friend = friend or rng.choice([f for f in FRIENDS if f != kind and f != "owl"])
    friend_name = rng.choice([n for n in FRIEND_NAMES if n != name])
    mood = rng.choice(MOODS)
    opening = rng.choice([
        f"Once upon a time there was a {mood} {kind} named {name}. {name} lived {rng.choice(PLACES)}.",
        f"There once was a {mood} {kind} named {name} who lived {rng.choice(PLACES)}.",
        f"{name} was a {mood} {kind}. {name} lived {rng.choice(PLACES)}.",
    ])
    slots = {"N": name, "F": friend_name, "f": friend, "t": rng.choice(THINGS), "o": rng.choice(FOODS)}
    body = [part.format(**slots) for part in rng.choice(PLOTS)]
    lesson = [f"{name} learned {rng.choice(LEARNED)}."] if rng.random() < 0.5 else []
    return " ".join([opening, *body, *lesson, rng.choice(ENDINGS).format(**slots)])


def short_story(rng, kind, name):
    """One sentence."""
    mood, thing, friend = rng.choice(MOODS), rng.choice(THINGS), rng.choice([f for f in FRIENDS if f != kind and f != "owl"])
    start = f"A {mood} {kind} named {name}"
    return start + rng.choice([f" found a {thing}, gave it to a {friend} and slept well that night.", f" lost a {thing}, but a {friend} helped to find it.", f" was afraid of the dark until a {friend} showed the way home.", f" shared a cake with a {friend}, and both were happy."])


POEMS = {
    "the sea": ["Waves roll to the shore", "The sea sings its old, slow song", "Salt is in the wind"],
    "the moon": ["Moon above the roof", "A silver boat in the dark", "The night holds its breath"],
    "the rain": ["Rain taps on the glass", "Every drop has a story", "The garden listens"],
    "the snow": ["Snow falls without sound", "The whole town is soft and white", "One small bird is red"],
    "spring": ["Green leaves wake again", "The cold river starts to sing", "Bees are on their way"],
    "summer": ["Warm light on the hill", "The long day forgets to end", "Bare feet in the grass"],
    "autumn": ["Leaves of red and gold", "They dance down to the wet ground", "The trees say goodbye"],
    "winter": ["Ice upon the lake", "The bear sleeps and dreams of spring", "Stars are clear and cold"],
    "the forest": ["Tall trees and deep shade", "A small path goes into green", "An owl opens one eye"],
    "a river": ["The river moves on", "It carries the sky along", "Stones grow smooth and round"],
    "a cat": ["The cat in the sun", "She dreams of a hundred birds", "One soft ear still hears"],
    "the stars": ["Stars over the field", "Each one is a far-off fire", "I count them and sleep"],
    "the wind": ["Wind without a face", "It turns the pages of trees", "It never stays long"],
    "a mountain": ["The mountain stands still", "Clouds come and rest on its head", "It has time for all"],
    "a flower": ["A flower opens", "It asks nothing of the bee", "The morning is kind"],
    "a computer": ["A computer hums", "Small lights blink in the dark room", "It thinks about sums"],
    "a GPU": ["A thousand small cores", "They add and add through the night", "Warm air fills the room"],
    "Heurist": ["Nodes across the land", "No one owns the humming cloud", "Each job finds a home"],
    "love": ["Two cups on the sill", "Your laugh is in every room", "The house is awake"],
    "a dog": ["The dog at the door", "His tail beats a happy drum", "You are home at last"],
}
FIRST = ["Quiet morning light", "Slowly comes the day", "Look, how still it is", "Evening in the air", "All the world is still"]
LAST = ["And I am at peace", "Nothing more is said", "Tomorrow can wait", "The day was enough", "And then all is still"]


def poem(rng):
    topic = rng.choice(list(POEMS))
    a, b, c = POEMS[topic]
    if rng.random() < 0.3:
        other = rng.choice([0, 1])
        a, c = (rng.choice(FIRST), c) if other else (a, rng.choice(LAST))
    return topic, f"{a},\n{b}.\n{c}."


def free_poem(rng, topic):
    """Three lines for a topic without lines of its own."""
    here = topic[0].upper() + topic[1:]
    middle = rng.choice(["The wind goes by without words", "I look at it for a while", "A small bird sings in the tree", "Someone far away is glad", "The morning light is so clear"])
    return topic, f"{here}, so still,\n{middle}.\n{rng.choice(LAST)}."
