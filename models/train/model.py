"""The network: a plain Llama (RMSNorm, rotary positions, grouped-query attention, SwiGLU, tied embedding)."""
import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass
class Shape:
    vocab: int = 2048
    dim: int = 192
    layers: int = 5
    heads: int = 6
    kv_heads: int = 3
    ffn: int = 512
    context: int = 1024
    theta: float = 10000.0
    eps: float = 1e-5


class Norm(nn.Module):
    def __init__(self, dim, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

    def forward(self, x):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + self.eps) * self.weight


def rotate(x, cos, sin):
    """Half-split rotary positions. export.py reorders the rows to the interleaved form GGUF expects."""
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


class Block(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s, self.hd = s, s.dim // s.heads
        self.n1, self.n2 = Norm(s.dim, s.eps), Norm(s.dim, s.eps)
        linear = lambda i, o: nn.Linear(i, o, bias=False)
        self.q, self.k, self.v, self.o = linear(s.dim, s.dim), linear(s.dim, s.kv_heads * self.hd), linear(s.dim, s.kv_heads * self.hd), linear(s.dim, s.dim)
        self.gate, self.up, self.down = linear(s.dim, s.ffn), linear(s.dim, s.ffn), linear(s.ffn, s.dim)

    def forward(self, x, cos, sin, mask):
        b, t, d = x.shape
        s, h = self.s, self.n1(x)
        groups = s.heads // s.kv_heads
        q = rotate(self.q(h).view(b, t, s.heads, self.hd).transpose(1, 2), cos, sin)
        k = rotate(self.k(h).view(b, t, s.kv_heads, self.hd).transpose(1, 2), cos, sin)
        v = self.v(h).view(b, t, s.kv_heads, self.hd).transpose(1, 2)
        # a group's query heads are stacked along time: one matmul per key head, keys are never copied
        q = (q * (1 / math.sqrt(self.hd))).reshape(b * s.kv_heads, groups * t, self.hd)
        k, v = k.reshape(b * s.kv_heads, t, self.hd), v.reshape(b * s.kv_heads, t, self.hd)
        scores = torch.baddbmm(mask, q, k.transpose(1, 2)).softmax(-1)
        y = torch.bmm(scores, v).view(b, s.heads, t, self.hd).transpose(1, 2).reshape(b, t, d)
        x = x + self.o(y)
        h = self.n2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Llama(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s = s
        self.embed = nn.Embedding(s.vocab, s.dim)
        self.blocks = nn.ModuleList(Block(s) for _ in range(s.layers))
        self.norm = Norm(s.dim, s.eps)
        nn.init.normal_(self.embed.weight, std=0.05)
        for block in self.blocks:
            for m in (block.q, block.k, block.v, block.gate, block.up):
                nn.init.normal_(m.weight, std=s.dim ** -0.5)
            nn.init.zeros_(block.o.weight)
            nn.init.zeros_(block.down.weight)
        hd = s.dim // s.heads
        angle = torch.outer(torch.arange(s.context).float(), s.theta ** (-torch.arange(0, hd, 2).float() / hd))
        self.cos, self.sin = angle.cos(), angle.sin()

    def forward(self, ids):
        """Hidden states after the last norm; logits are `hidden @ embed.weight.T`."""
        t = ids.shape[1]
        mask = torch.full((t, t), -1e9).triu(1).repeat(self.s.heads // self.s.kv_heads, 1)
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x, self.cos[:t], self.sin[:t], mask)
        return self.norm(x)

    def loss(self, ids, targets, weights):
        """Weighted mean cross entropy; positions of weight 0 never reach the output matrix."""
        hidden = self(ids).reshape(-1, self.s.dim)
        keep = weights.reshape(-1).nonzero().squeeze(1)
        w = weights.reshape(-1)[keep]
        losses = F.cross_entropy(hidden[keep] @ self.embed.weight.t(), targets.reshape(-1)[keep], reduction="none")
        return (losses * w).sum() / w.sum()
