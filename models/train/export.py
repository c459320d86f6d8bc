"""Writes a checkpoint as GGUF. `python3 export.py --run DIR --out FILE [--type q8_0|f32] [--weights average|last]`."""
import argparse
import os
import struct

import numpy as np
import sentencepiece as spm
import torch

from model import Shape

TEMPLATE = ("{{ bos_token }}{% for message in messages %}{% if message['role'] in ['system', 'user', 'assistant'] %}"
            "{{ '<|' + message['role'] + '|>' + message['content'] + eos_token }}{% else %}{{ '<|user|>' + message['content'] + eos_token }}{% endif %}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}")
U32, F32, BOOL, STRING, ARRAY, I32 = 4, 6, 7, 8, 9, 5
ALIGN = 32


def text(s):
    b = s.encode()
    return struct.pack("<Q", len(b)) + b


def value(kind, v):
    if kind == STRING:
        return text(v)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], v)


def field(key, kind, v, item=None):
    if kind == ARRAY:
        return text(key) + struct.pack("<IIQ", ARRAY, item, len(v)) + b"".join(value(item, x) for x in v)
    return text(key) + struct.pack("<I", kind) + value(kind, v)


def interleave(w, heads):
    """Half-split rotary rows -> the adjacent pairs llama.cpp rotates."""
    hd = w.shape[0] // heads
    return w.reshape(heads, 2, hd // 2, w.shape[1]).transpose(0, 2, 1, 3).reshape(w.shape)


def q8_0(w):
    blocks = w.astype(np.float32).reshape(-1, 32)
    scale = np.abs(blocks).max(1) / 127
    scale16 = scale.astype(np.float16)
    with np.errstate(divide="ignore", invalid="ignore"):
        q = np.where(scale[:, None] > 0, np.round(blocks / scale[:, None]), 0).astype(np.int8)
    out = np.empty((len(blocks), 34), dtype=np.uint8)
    out[:, :2] = scale16.view(np.uint8).reshape(-1, 2)
    out[:, 2:] = q.view(np.uint8)
    return out.tobytes()


def tensors(w, s):
    """GGUF name -> array, in llama.cpp's naming."""
    yield "token_embd.weight", w["embed.weight"]
    for i in range(s.layers):
        p, b = f"blk.{i}.", f"blocks.{i}."
        yield p + "attn_norm.weight", w[b + "n1.weight"]
        yield p + "attn_q.weight", interleave(w[b + "q.weight"], s.heads)
        yield p + "attn_k.weight", interleave(w[b + "k.weight"], s.kv_heads)
        yield p + "attn_v.weight", w[b + "v.weight"]
        yield p + "attn_output.weight", w[b + "o.weight"]
        yield p + "ffn_norm.weight", w[b + "n2.weight"]
        yield p + "ffn_gate.weight", w[b + "gate.weight"]
        yield p + "ffn_up.weight", w[b + "up.weight"]
        yield p + "ffn_down.weight", w[b + "down.weight"]
    yield "output_norm.weight", w["norm.weight"]


def metadata(sp, s, quantised):
    pieces = range(sp.get_piece_size())
    kind = lambda i: 2 if sp.is_unknown(i) else 3 if sp.is_control(i) else 6 if sp.is_byte(i) else 1
    return [
        ("general.architecture", STRING, "llama"), ("general.name", STRING, "Heurist Tiny"), ("general.basename", STRING, "heurist-tiny"), ("general.version", STRING, "1"),
        ("general.license", STRING, "apache-2.0"), ("general.author", STRING, "The Heurist project"),
        ("general.description", STRING, "A very small chat model trained on one CPU for first tries and tests of the Heurist network."),
        ("general.file_type", U32, 7 if quantised else 0), ("general.quantization_version", U32, 2),
        ("llama.context_length", U32, s.context), ("llama.embedding_length", U32, s.dim), ("llama.block_count", U32, s.layers), ("llama.feed_forward_length", U32, s.ffn),
        ("llama.attention.head_count", U32, s.heads), ("llama.attention.head_count_kv", U32, s.kv_heads), ("llama.attention.layer_norm_rms_epsilon", F32, s.eps),
        ("llama.rope.dimension_count", U32, s.dim // s.heads), ("llama.rope.freq_base", F32, s.theta), ("llama.vocab_size", U32, s.vocab),
        ("tokenizer.ggml.model", STRING, "llama"), ("tokenizer.ggml.pre", STRING, "default"),
        ("tokenizer.ggml.tokens", ARRAY, [sp.id_to_piece(i) for i in pieces], STRING), ("tokenizer.ggml.scores", ARRAY, [sp.get_score(i) for i in pieces], F32),
        ("tokenizer.ggml.token_type", ARRAY, [kind(i) for i in pieces], I32),
        ("tokenizer.ggml.bos_token_id", U32, 1), ("tokenizer.ggml.eos_token_id", U32, 2), ("tokenizer.ggml.unknown_token_id", U32, 0), ("tokenizer.ggml.padding_token_id", U32, 2),
        ("tokenizer.ggml.add_bos_token", BOOL, True), ("tokenizer.ggml.add_eos_token", BOOL, False), ("tokenizer.ggml.add_space_prefix", BOOL, False),
        ("tokenizer.chat_template", STRING, TEMPLATE),
    ]


def main():
    arg = argparse.ArgumentParser()
    arg.add_argument("--run", required=True)
    arg.add_argument("--out", required=True)
    arg.add_argument("--type", default="q8_0", choices=["q8_0", "f32"])
    arg.add_argument("--weights", default="average", choices=["average", "last"])
    args = arg.parse_args()
    s, sp = Shape(), spm.SentencePieceProcessor(model_file=os.path.join(args.run, "spm.model"))
    saved = torch.load(os.path.join(args.run, "checkpoint.pt"))
    weights = dict(zip(saved["names"], saved["average"])) if args.weights == "average" else saved["model"]
    infos, blobs, offset = b"", [], 0
    items = [(n, a.numpy().astype(np.float32)) for n, a in ((n, torch.as_tensor(a)) for n, a in tensors({k: v.numpy() for k, v in weights.items()}, s))]
    for name, a in items:
        quantise = args.type == "q8_0" and a.ndim == 2
        blob = q8_0(a) if quantise else a.tobytes()
        infos += text(name) + struct.pack("<I", a.ndim) + b"".join(struct.pack("<Q", d) for d in reversed(a.shape)) + struct.pack("<IQ", 8 if quantise else 0, offset)
        blob += b"\0" * (-len(blob) % ALIGN)
        blobs.append(blob)
        offset += len(blob)
    fields = [field(*f) for f in metadata(sp, s, args.type == "q8_0")]
    head = b"GGUF" + struct.pack("<IQQ", 3, len(items), len(fields)) + b"".join(fields) + infos
    with open(args.out, "wb") as f:
        f.write(head + b"\0" * (-len(head) % ALIGN) + b"".join(blobs))
    print(f"{args.out}: {os.path.getsize(args.out)} bytes, step {saved['state']['step']}")


if __name__ == "__main__":
    main()
