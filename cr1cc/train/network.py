"""The model as PyTorch trains it: a small transformer of the llama architecture.

Layers, norms and positions are those that llama.cpp computes from the exported file
(`cr1cc.train.gguf_file`): RMS norms before attention and before a gated feed-forward layer
(SwiGLU), neighbouring numbers of a head turned by position, one embedding at both ends.
Sources: RMSNorm arXiv:1910.07467, SwiGLU arXiv:2002.05202, RoPE arXiv:2104.09864.
"""

from __future__ import annotations

from cr1cc.train.gguf_file import EPSILON, ROPE_BASE, Shape
from cr1cc.train.pytorch import Tensor, functional, nn, torch

# Keys and values of each layer, (batch, heads, length, width of a head).
Past = tuple[tuple[Tensor, Tensor], ...]


class Network(nn.Module):
    """Logits of the next token for every position."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(_Block(shape) for _ in range(shape.layers))
        self.output_norm = _Norm(shape.width)
        angles = ROPE_BASE ** -(
            torch.arange(0, shape.width // shape.heads, 2) * shape.heads / shape.width
        )
        turns = torch.outer(torch.arange(shape.context), angles)
        self.turns: Tensor
        self.register_buffer("turns", torch.polar(torch.ones_like(turns), turns), persistent=False)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, tokens: Tensor, positions: Tensor, seen: Tensor) -> Tensor:
        """(batch, length) tokens and positions, (batch, length, length) bool: what a place
        sees; gives (batch, length, vocabulary)."""
        return self.logits(self.states(tokens, positions, seen))

    def states(self, tokens: Tensor, positions: Tensor, seen: Tensor) -> Tensor:
        """What the logits are made of: (batch, length, width)."""
        state = self.token_embd(tokens)
        turns = self.turns[positions].unsqueeze(1)  # (batch, 1, length, pairs)
        mask = seen.unsqueeze(1)
        for block in self.blk:
            state, _ = block(state, turns, mask, None)
        normed: Tensor = self.output_norm(state)
        return normed

    def logits(self, states: Tensor) -> Tensor:
        return functional.linear(states, self.token_embd.weight)

    def follow(self, tokens: Tensor, at: int, past: Past) -> tuple[Tensor, Past]:
        """Let rows of equal length `at` go on, each with its (batch, length) tokens: the logits
        behind the last one, (batch, vocabulary), and what the next call needs. Nothing is
        behind a row at first: `past` is ()."""
        length = tokens.shape[1]
        state = self.token_embd(tokens)
        turns = self.turns[at : at + length].view(1, 1, length, -1)
        mask = torch.ones(length, at + length, dtype=torch.bool, device=tokens.device).tril(at)
        kept = []
        for index, block in enumerate(self.blk):
            state, pair = block(state, turns, mask, past[index] if past else None)
            kept.append(pair)
        return self.logits(self.output_norm(state[:, -1])), tuple(kept)


class _Norm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, state: Tensor) -> Tensor:
        scale = torch.rsqrt(state.square().mean(-1, keepdim=True) + EPSILON)
        return state * scale * self.weight


class _Block(nn.Module):
    """Attention, then the feed-forward layer; names are those of the exported tensors."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.attn_norm = _Norm(shape.width)
        self.attn_q = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_k = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_v = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_output = nn.Linear(shape.width, shape.width, bias=False)
        self.ffn_norm = _Norm(shape.width)
        self.ffn_gate = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_up = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_down = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(
        self, state: Tensor, turns: Tensor, mask: Tensor, past: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        normed = self.attn_norm(state)
        query, key, value = (
            self._split(part(normed)) for part in (self.attn_q, self.attn_k, self.attn_v)
        )
        query, key = _turn(query, turns), _turn(key, turns)
        if past:
            key, value = torch.cat((past[0], key), 2), torch.cat((past[1], value), 2)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        state = state + self.attn_output(mixed.transpose(1, 2).flatten(2))
        normed = self.ffn_norm(state)
        gated = functional.silu(self.ffn_gate(normed)) * self.ffn_up(normed)
        return state + self.ffn_down(gated), (key, value)

    def _split(self, state: Tensor) -> Tensor:
        """(batch, length, width) to (batch, heads, length, width of a head)."""
        return state.reshape(*state.shape[:2], self.heads, -1).transpose(1, 2)


def _turn(state: Tensor, turns: Tensor) -> Tensor:
    pairs = torch.view_as_complex(state.reshape(*state.shape[:3], -1, 2))
    return torch.view_as_real(pairs * turns).flatten(3)
