"""Keys and origins for nodes with sessions: made by `holdfast keygen`, written where the node looks for them."""
import os

from node import HOLDFAST, run

ALL = "allow = all\naccounts = all\ninstruments = all\nqueries = 1000000\n"


class Keys:
    """A place for key files and the origins' file."""

    def __init__(self, space):
        self.directory = space.path("keys")
        os.makedirs(self.directory, exist_ok=True)
        self.public = {}

    def path(self, name):
        return os.path.join(self.directory, name)

    def make(self, name):
        """A new pair; returns the public half."""
        self.public[name] = run([HOLDFAST, "keygen", self.path(name)]).stdout.strip()
        return self.public[name]

    def write_origins(self, **rules):
        """`rules` by name of a key, in the order of their numbers from 1."""
        with open(self.path("origins"), "w", encoding="ascii") as file:
            for number, (name, text) in enumerate(rules.items(), 1):
                if name not in self.public:
                    self.make(name)
                file.write(f"[origin {number}]\nname = {name}\nkey = {self.public[name]}\n{text}")
        return self.path("origins")

    def settings(self, **rules):
        """What a node needs, besides its own key, which is made here as well."""
        self.make("node")
        return {"security__sessions": "on", "security__key": self.path("node"),
                "security__origins": self.write_origins(**(rules or {"client": ALL}))}

    def target(self, node, name="client"):
        """Options of `holdfast load` and `holdfast run`."""
        return ["--server", node.address, *self.options(name)]

    def options(self, name="client"):
        return ["--key", self.path(name), "--node-key", self.public["node"]]
