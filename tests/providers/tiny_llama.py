"""Serves llama.cpp with a model of random weights, and runs a command while it does.

    python -m tests.providers.tiny_llama COMMAND...

The command finds the address in LLAMA_CPP_URL. Needs the packages xllamacpp and gguf (with numpy),
which only `nox -s llama` installs.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

WIDTH, HEADS, INNER = 32, 2, 64
TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}{% endfor %}<a>"
)


def write_model(file: Path) -> None:
    """A model of one layer that knows bytes only."""
    import gguf
    import numpy as np

    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    kinds = [2, 3, 3, *[6] * 256]
    writer = gguf.GGUFWriter(str(file), "llama")
    writer.add_context_length(4096)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template(TEMPLATE)
    random = np.random.default_rng(1)
    layer = {"attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH, WIDTH), "attn_v": (WIDTH, WIDTH)}
    layer |= {"attn_output": (WIDTH, WIDTH), "ffn_gate": (INNER, WIDTH)}
    layer |= {"ffn_up": (INNER, WIDTH), "ffn_down": (WIDTH, INNER)}
    shapes = {f"blk.0.{name}.weight": shape for name, shape in layer.items()}
    shapes |= {"token_embd.weight": (len(tokens), WIDTH), "output.weight": (len(tokens), WIDTH)}
    for name, shape in shapes.items():
        writer.add_tensor(name, random.normal(0, 0.1, shape).astype(np.float32))
    for name in ("blk.0.attn_norm.weight", "blk.0.ffn_norm.weight", "output_norm.weight"):
        writer.add_tensor(name, np.ones(WIDTH, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main(command: list[str]) -> int:
    """Serve, run the command, and give its exit code."""
    import xllamacpp

    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "tiny.gguf"
        write_model(model)
        params = xllamacpp.CommonParams()
        params.model.path = str(model)
        params.n_ctx = 2048
        params.port = 0
        params.warmup = False
        server = xllamacpp.Server(params)
        url = server.listening_address
        return subprocess.run(
            command, env={**os.environ, "LLAMA_CPP_URL": url}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
