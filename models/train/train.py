"""Trains the model on one CPU thread. `python3 train.py --run DIR --steps N --decay D`; resumes from DIR/checkpoint.pt.

The learning rate is constant and falls linearly to zero over the last D steps, so a run can be lengthened:
start it again with more steps. An average of the weights is kept beside them and is what gets exported.
"""
import argparse
import os
import random
import sys
import time

import torch

from corpus import conversation, plain
from model import Llama, Shape

BOS, EOS, ROLE = 1, 2, {"system": 3, "user": 4, "assistant": 5}
USER_WEIGHT = 0.1  # the questions are drawn at random: little is to be learned from predicting them


def encode(sp, messages):
    """Ids and loss weights of a conversation, exactly as the chat template writes it."""
    ids, weights = [BOS], [0.0]
    for role, text in messages:
        body = sp.encode(text) + [EOS]
        ids += [ROLE[role]] + body
        weights += [0.0] + [1.0 if role == "assistant" else USER_WEIGHT if role == "user" else 0.0] * len(body)
    return ids, weights


def document(sp, rng, split="train"):
    if split == "train" and rng.random() < 0.06:
        ids = [BOS] + sp.encode(plain(rng)) + [EOS]
        return ids, [0.0] + [1.0] * (len(ids) - 1)
    ids, weights = encode(sp, conversation(rng, split))
    return ids[:1024], weights[:1024]


def collate(docs):
    width = max(len(ids) for ids, _ in docs) - 1
    x, y, w = torch.zeros(len(docs), width, dtype=torch.long), torch.zeros(len(docs), width, dtype=torch.long), torch.zeros(len(docs), width)
    for i, (ids, weights) in enumerate(docs):
        n = len(ids) - 1
        x[i, :n], y[i, :n], w[i, :n] = torch.tensor(ids[:-1]), torch.tensor(ids[1:]), torch.tensor(weights[1:])
    return x, y, w


def batches(sp, rng, budget):
    """Endless batches of about `budget` positions; documents of like length share a batch."""
    while True:
        docs = sorted((document(sp, rng) for _ in range(2000)), key=lambda d: len(d[0]))
        groups, group = [], []
        for doc in docs:
            if group and len(doc[0]) * (len(group) + 1) > budget:
                groups.append(group)
                group = []
            group.append(doc)
        rng.shuffle(groups)
        for group in groups:
            yield collate(group)


def orthogonal(g, steps=5):
    """Newton-Schulz iteration to the nearest orthogonal matrix (the Muon update)."""
    x = g / (g.norm() + 1e-7)
    flip = x.shape[0] > x.shape[1]
    x = x.t() if flip else x
    for _ in range(steps):
        a = x @ x.t()
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return x.t() if flip else x


class Muon:
    """Momentum with orthogonalised updates, for the matrices inside the blocks."""

    def __init__(self, params, momentum=0.95, decay=0.05):
        self.params, self.momentum, self.decay = params, momentum, decay
        self.buffers = [torch.zeros_like(p) for p in params]

    @torch.no_grad()
    def step(self, lr):
        for p, m in zip(self.params, self.buffers):
            m.lerp_(p.grad, 1 - self.momentum)
            u = orthogonal(p.grad.lerp(m, self.momentum))
            p.mul_(1 - lr * self.decay).add_(u, alpha=-lr * max(1, p.shape[0] / p.shape[1]) ** 0.5)


def held_losses(model, sp, count=300):
    """Mean loss on assistant text: known facts in trained phrasings, and in phrasings never trained."""
    out = {}
    with torch.no_grad():
        for split in ("train", "held"):
            rng, total, n = random.Random(999), 0.0, 0.0
            docs = sorted(((i, [x if x == 1.0 else 0.0 for x in w]) for i, w in (encode(sp, conversation(rng, split)[:3]) for _ in range(count))), key=lambda d: len(d[0]))
            for k in range(0, count, 30):
                x, y, w = collate(docs[k:k + 30])
                total += model.loss(x, y, w).item() * w.sum().item()
                n += w.sum().item()
            out[split] = total / n
    return out


def main():
    arg = argparse.ArgumentParser()
    arg.add_argument("--run", required=True)
    arg.add_argument("--steps", type=int, required=True)
    arg.add_argument("--decay", type=int, default=400)
    arg.add_argument("--lr", type=float, default=0.02)
    arg.add_argument("--adam-lr", type=float, default=0.003)
    arg.add_argument("--tokens", type=int, default=3072)
    arg.add_argument("--seed", type=int, default=7)
    arg.add_argument("--until", help="stop and save at this wall clock time, HH:MM")
    args = arg.parse_args()
    import sentencepiece as spm
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    sp = spm.SentencePieceProcessor(model_file=os.path.join(args.run, "spm.model"))
    model = Llama(Shape())
    matrices = [p for b in model.blocks for p in b.parameters() if p.ndim == 2]
    others = [p for p in model.parameters() if not any(p is m for m in matrices)]
    muon, adam = Muon(matrices), torch.optim.AdamW(others, lr=args.adam_lr, betas=(0.9, 0.98), weight_decay=0.0)
    state = {"step": 0, "tokens": 0, "cpu_s": 0.0, "wall_s": 0.0, "log": []}
    average = [p.detach().clone() for p in model.parameters()]
    path = os.path.join(args.run, "checkpoint.pt")
    if os.path.exists(path):
        saved = torch.load(path)
        model.load_state_dict(saved["model"])
        adam.load_state_dict(saved["adam"])
        muon.buffers, average, state = saved["muon"], saved["average"], saved["state"]
    print(f"{sum(p.numel() for p in model.parameters())} parameters, from step {state['step']}", flush=True)
    source = batches(sp, random.Random(args.seed * 1000 + state["step"]), args.tokens)
    cpu0, wall0, smooth = time.process_time(), time.time(), None

    def save():
        now = {**state, "cpu_s": state["cpu_s"] + time.process_time() - cpu0, "wall_s": state["wall_s"] + time.time() - wall0}
        blob = {"model": model.state_dict(), "adam": adam.state_dict(), "muon": muon.buffers, "average": average, "state": now, "names": [n for n, _ in model.named_parameters()]}
        torch.save(blob, path + ".new")
        os.replace(path + ".new", path)

    while state["step"] < args.steps:
        step = state["step"]
        scale = min(1.0, (step + 1) / 30, (args.steps - step) / args.decay)
        x, y, w = next(source)
        loss = model.loss(x, y, w)
        for p in model.parameters():
            p.grad = None
        loss.backward()
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        for group in adam.param_groups:
            group["lr"] = args.adam_lr * scale
        adam.step()
        muon.step(args.lr * scale)
        keep = min(0.99, step / (step + 10))
        with torch.no_grad():
            for a, p in zip(average, model.parameters()):
                a.lerp_(p, 1 - keep)
        state["step"] += 1
        state["tokens"] += int((w > 0).sum())
        smooth = loss.item() if smooth is None else 0.97 * smooth + 0.03 * loss.item()
        if state["step"] % 50 == 0:
            print(f"step {state['step']} loss {smooth:.3f} tokens {state['tokens']} cpu {state['cpu_s'] + time.process_time() - cpu0:.0f}s wall {time.time() - wall0:.0f}s", flush=True)
        if state["step"] % 250 == 0 or state["step"] == args.steps:
            losses = held_losses(model, sp)
            state["log"].append({"step": state["step"], "tokens": state["tokens"], **losses})
            print(f"  loss on known phrasings {losses['train']:.3f}, on held-out phrasings {losses['held']:.3f}", flush=True)
            save()
        if args.until and time.strftime("%H:%M") >= args.until:
            break
    save()


if __name__ == "__main__":
    sys.exit(main())
