"""A hundred thousand transfers through one door of a node: none lost, none twice, every balance as the sender's own books
have it, and all of it still so after a kill."""
import json

from node import HOLDFAST, run

OPERATIONS = 100000
ACCOUNTS = 1000
# What the load makes first: the asset, the issuing account, the accounts, and the money in them.
LOAD_S = 150


def load(target, *more, space=()):
    done = run([*space, HOLDFAST, "load", *target, "--json", *more], timeout=LOAD_S)
    return json.loads(done.stdout)


def check_places(path):
    """Every answer of the journal: one an operation, one place each, all approved or refused for a reason."""
    places = set()
    answered = {}
    sent = set()
    with open(path, encoding="ascii") as journal:
        for line in journal:
            words = line.split()
            if words[0] == "S":
                sent.add(words[1])
            elif words[0] == "A":
                assert answered.setdefault(words[1], words[2:]) == words[2:], f"{words[1]} got two answers"
                places.add(words[3])
    assert set(answered) == sent, f"{len(sent)} sent, {len(answered)} answered"
    assert len(places) == len(sent) == OPERATIONS, f"{len(places)} places for {len(sent)} operations"


def drive(space, node, target, inside=()):
    """`target` are the options that name the node for `holdfast load`, `inside` the words that put a client where it can
    reach it."""
    journal = space.path("journal")
    result = load(target, "--workload", "transfer", "--accounts", ACCOUNTS, "--operations", OPERATIONS, "--inflight", 512,
                  "--batch", 16, "--journal", journal, "--verify-balances", space=inside)
    assert (result["ops"], result["lost"], result["accounts_wrong"]) == (OPERATIONS, 0, 0), result
    assert result["durability"] == "solo", result
    check_places(journal)
    port = node.admin("metrics")["port"]
    assert port["received"] > 0 and port["dropped_malformed"] == 0, port
    place = node.admin("status")["place"]
    digest = node.digest()
    node.restart()
    assert node.admin("status")["place"] == place
    assert node.digest() == digest, "the state changed in a restart"
    checked = load(target, "--check", journal, space=inside)
    assert (checked["acked"], checked["present"], checked["lost"], checked["changed"]) == (OPERATIONS, OPERATIONS, 0, 0), checked
    assert node.terminate() == 0
    node.start()
    assert node.digest() == digest, "the state changed in a clean stop"
    assert node.admin("status")["replayed"] == 0
    assert node.terminate() == 0
    print(f"{OPERATIONS} transfers, {result['ops_s']:,.0f}/s, p50 {result['p50_us']:.0f} us, retransmitted "
          f"{result['retransmitted']}, busy {result['busy']}, lost 0, twice 0, balances right, digest {digest['digest']}")
