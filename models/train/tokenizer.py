"""Trains the tokeniser: SentencePiece BPE over samples of the corpus. `python3 tokenizer.py OUT_PREFIX`.

No dummy prefix, no normalisation and byte fallback: exactly what llama.cpp does with `add_space_prefix = false`.
"""
import random
import sys

import sentencepiece as spm

from corpus import conversation, plain

CONTROL = ["<|system|>", "<|user|>", "<|assistant|>"]
VOCAB = 2048


def sentences(count=60000, seed=11):
    rng = random.Random(seed)
    for _ in range(count):
        for _, text in conversation(rng):
            yield from (line for line in text.split("\n") if line)
        if rng.random() < 0.05:
            yield from (line for line in plain(rng).split("\n") if line)


if __name__ == "__main__":
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences()), model_prefix=sys.argv[1], vocab_size=VOCAB, model_type="bpe", character_coverage=1.0, byte_fallback=True,
        split_digits=True, add_dummy_prefix=False, remove_extra_whitespaces=False, normalization_rule_name="identity", control_symbols=CONTROL,
        unk_id=0, bos_id=1, eos_id=2, pad_id=-1, num_threads=1, input_sentence_size=120000, shuffle_input_sentence=False)
