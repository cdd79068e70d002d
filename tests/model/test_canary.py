#!/usr/bin/env python3
"""The model test is tested: engines with one seeded bug each, all of which it must catch.

Usage: test_canary.py ROOT. Compiles the engine as it is, which must pass, and for each mutation below
what reads the mutated file anew, which must fail. A mutation that does not match its source exactly once
is a failure too: the engine has changed and the canary with it."""
import collections
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

TIMEOUT_S = 600  # of one run, which takes half a minute: for what would never end
# One after the other until one catches the bug: random traffic, for what is rare more of it, and
# every order of the messages about a payment.
RUNS = [('test_model', '--operations', '120000'), ('test_model', '--seed', '2', '--operations', '300000'),
        ('test_model', '--seed', '4', '--operations', '300000'), ('test_orders',),
        ('test_model', '--seed', '3', '--operations', '300000')]
FLAGS = ['-std=gnu11', '-D_GNU_SOURCE', '-DXXH_INLINE_ALL']
# The engine is compiled more than a hundred times, and most of its runs are short. Where nothing is inlined, an object
# names every function of a header that it uses.
ENGINE = ['-O0']
TESTS = ['-O1']

Mutation = collections.namedtuple('Mutation', 'bug file old new')

MUTATIONS = [
    Mutation('a transfer ignores the floor', 'execute.h',
             '        left < payer->floor ||\n        __builtin_add_overflow(payer->lifetime_debits,',
             '        __builtin_add_overflow(payer->lifetime_debits,'),
    Mutation('a transfer is not added to the lifetime debits', 'execute.h',
             '    payer->posted = answer->posted;\n    payer->lifetime_debits = lifetime_debits;\n',
             '    payer->posted = answer->posted;\n'),
    Mutation('a hold on the short path ignores the floor', 'execute.h',
             '        left < payer->floor ||\n        __builtin_add_overflow((int64_t)payer->held_out,',
             '        __builtin_add_overflow((int64_t)payer->held_out,'),
    Mutation('a capture on the short path leaves the promise to the payee', 'execute.h',
             '    payee->held_in -= freed;\n', '    payee->held_in -= released;\n'),
    Mutation('what is held for a payee does not count against its limit', 'execute.c',
             'after->posted + after->held_in <= INT64_MAX', 'after->posted <= INT64_MAX'),
    Mutation('held_in stays when a hold is released', 'settlement.c',
             'change.held_in = (int64_t)s->raised - (int64_t)(s->captured + s->released);',
             'change.held_in = (int64_t)s->raised - (int64_t)s->captured;'),
    Mutation('a dry hold holds', 'promise.h',
             'bool is_dry = hf_turn_is_dry(turn) || amount == 0;', 'bool is_dry = amount == 0;'),
    Mutation('a frozen payee captures', 'settle.c',
             'else if (payee->status == HF_ACCOUNT_FROZEN)\n            code = HF_CODE_RESTRICTED;',
             'else if (false)\n            code = HF_CODE_RESTRICTED;'),
    Mutation('a final capture approves what it gives back', 'settle.c',
             'answer->approved = s.captured + s.beyond;',
             'answer->approved = s.captured + s.beyond + s.released;'),
    Mutation('the hold ended last is forgotten first', 'hold_add.h',
             'uint32_t slot = hf_hold_ended(holds, 0);',
             'uint32_t slot = hf_hold_ended(holds, tally->ended_count - 1);'),
    Mutation('a counter is drawn twice', 'instrument.h',
             'instrument->remaining--;', 'instrument->remaining -= instrument->remaining > 1 ? 2 : 1;'),
    Mutation('a card works at the very moment of its expiry', 'instrument.c',
             'timestamp_ns >= instrument->expires_ns', 'timestamp_ns > instrument->expires_ns'),
    Mutation('a verification draws the counter', 'authorise.c',
             '        hf_record_verify(ledger, turn, answer);',
             '        hf_instrument_draw(instrument), hf_record_verify(ledger, turn, answer);'),
    Mutation('other content under the same id passes for the same', 'once.c',
             'first->type == turn->type && first->fingerprint == turn->fingerprint',
             'first->type == turn->type'),
    Mutation('a transfer sent again moves again', 'ledger.c',
             '*first = find_first_answer(ledger, turn);',
             '*first = turn->type == HF_OP_MOVE ? NULL : find_first_answer(ledger, turn);'),
    Mutation('a hold does not answer for its maker', 'ledger.c',
             'first = hf_hold_answer(&ledger->holds, id, turn->id_hash, ledger->bundle_ns);', ';'),
    Mutation('a hold made in a chain is unknown outside', 'hold_add.h',
             'hf_hold_note_unseen(holds, id);', ';'),
    Mutation('the deadline itself is too late', 'state.h',
             'deadline_ns != 0 && deadline_ns < timestamp_ns', 'deadline_ns != 0 && deadline_ns <= timestamp_ns'),
    Mutation('what is forbidden is only too late', 'state.h',
             'if ((turn->flags & HF_OP_FORBIDDEN) != 0)', 'if (false)'),
    Mutation('a forbidden authorisation leaves a record', 'ledger.c',
             'turn->type == HF_OP_AUTH && (turn->flags & HF_OP_FORBIDDEN) == 0', 'turn->type == HF_OP_AUTH'),
    Mutation('what is forbidden happens all the same', 'state.h',
             'return deadline_ns != 0 && deadline_ns < timestamp_ns;',
             'return deadline_ns != 0 && deadline_ns < timestamp_ns && (turn->flags & HF_OP_FORBIDDEN) == 0;'),
    Mutation('anybody may say that something is forbidden', 'operation.c',
             'return check(operation, available, 0);', 'return check(operation, available, HF_OP_FORBIDDEN);'),
    Mutation('the horizon rounds milliseconds up', 'once.h',
             'uint64_t now_ms = timestamp_ns / HF_NS_PER_MS;',
             'uint64_t now_ms = (timestamp_ns + HF_NS_PER_MS - 1) / HF_NS_PER_MS;'),
    Mutation('a dry run moves the clock', 'ledger.c',
             '    if (placed != 0)\n        ledger->timestamp_ns = timestamp_ns;\n',
             '    ledger->timestamp_ns = timestamp_ns;\n'),
    Mutation('the floor of ids stays when one is forgotten', 'seen.h',
             'seen->floor_ms = above_ms;', ';'),
    Mutation('a lookup stops at the first group', 'table.c',
             'if (control->overflow == 0)', 'if (true)'),
    Mutation('the digest sees nothing', 'digest.c',
             'return writer.digest.sum;', 'return (struct hf_id){0, 0};'),
    Mutation('an image loses the lifetime debits', 'image_read.c',
             'account->lifetime_debits = record.lifetime_debits;', ''),
    Mutation('a scale of eighteen is refused', 'operation.c',
             'put->scale > HF_ASSET_SCALE_MAX', 'put->scale >= HF_ASSET_SCALE_MAX'),
    Mutation('the floor of a total does not bind its children', 'execute.c',
             'return leg->change.posted < leg->change.held_out;', 'return false;'),
    Mutation('a ceiling does not see what is held in', 'execute.c',
             '__builtin_add_overflow(hf_account_incoming(account), raised, &incoming)',
             '__builtin_add_overflow(account->posted, raised, &incoming)'),
    Mutation('only the nearest total moves', 'plan.c',
             'while ((leg.account = hf_terms_parent(ledger, leg.account)) != NULL)',
             'if ((leg.account = hf_terms_parent(ledger, leg.account)) != NULL)'),
    Mutation('a filter lets a payment without category pass', 'terms.c',
             'list[i] != 0 && list[i] == value', 'list[i] == value'),
    Mutation('a filter has entries as a whole, not in each part that is announced', 'operation.c',
             'if ((filter->parts & ~used_parts(filter)) != 0)',
             'if (filter->parts != 0 && used_parts(filter) == 0)'),
    Mutation('an account pays at the very moment of its expiry', 'terms.c',
             'terms->expires_ns != 0 && ledger->bundle_ns >= terms->expires_ns',
             'terms->expires_ns != 0 && ledger->bundle_ns > terms->expires_ns'),
    Mutation('a total has five above it', 'terms.c',
             '->depth + 1 > HF_PARENT_DEPTH_MAX', '->depth > HF_PARENT_DEPTH_MAX'),
    Mutation('a ceiling leaves room for one unit too many', 'plan.c',
             'wide room = (wide)terms->ceiling - hf_account_incoming(account);',
             'wide room = (wide)terms->ceiling - hf_account_incoming(account) + 1;'),
    Mutation('a partial approval needs more than its minimum', 'plan.c',
             'taken >= side->terms->minimum', 'taken > side->terms->minimum'),
    Mutation('units left over by rounding go to the last', 'plan.c',
             """        if (*spare == 0)
            return share;
        --*spare;
        return share + 1;
""",
             """        if (index + 1 < side->end)
            return share;
        return share + *spare;
"""),
    Mutation('the smallest residual takes more accounts than it needs', 'residual.c',
             'if (least < best) {', 'if (least != NO_SUM && least <= best) {'),
    Mutation('a tolerance is rounded up', 'settlement.c',
             '(uint64_t)(product / HF_TOLERANCE_MAX)',
             '(uint64_t)((product + HF_TOLERANCE_MAX - 1) / HF_TOLERANCE_MAX)'),
    Mutation('a condition less will do', 'settle.c',
             'met_count >= s->more->required', 'met_count + 1 >= s->more->required'),
    Mutation('anybody settles a hold', 'settle.c',
             's->more->origin != turn->origin', 'false'),
    Mutation('a closed payer is debited late', 'settle.c',
             's.beyond > 0 && s.payer->status == HF_ACCOUNT_CLOSED', 'false'),
    Mutation('a late capture forgets what was captured', 'settlement.c',
             'is_lapsed ? hold->amount - hold->captured : hold->remaining',
             'is_lapsed ? hold->amount : hold->remaining'),
    Mutation('an expiry comes a nanosecond late', 'hold.h',
             'timestamp_ns >= more->expires_ns', 'timestamp_ns > more->expires_ns'),
    Mutation('EXPIRE ends a hold before its time', 'settle.c',
             'if (hold->status != HF_HOLD_OPEN || !hf_hold_is_due(s.more, ledger->bundle_ns))',
             'if (hold->status != HF_HOLD_OPEN)'),
    Mutation('releases go back to the first payer first', 'spread.c',
             'for (uint32_t i = count; i-- > 0;) {', 'for (uint32_t i = 0; i < count; i++) {'),
    Mutation('a signature is good for any hold', 'condition.c',
             '        .hold = attest->hold,\n', ''),
    Mutation('a region is not looked at', 'condition.c',
             'attest->code == condition->code && is_signature', 'is_signature'),
    Mutation('a chain that fails stands', 'chain.c',
             '    hf_undo_roll_back(&ledger->undo);\n', '    hf_undo_commit(&ledger->undo);\n'),
    Mutation('a chain that fails still tells what it did', 'chain.c',
             'ledger->events->count = events_before;', ';'),
    Mutation('inside a chain the parts of a hold are not put back', 'settlement.c',
             '        hf_undo_keep(&ledger->undo, part, sizeof(*part));\n', ''),
    Mutation('debits are not told', 'execute.c',
             'if (leg->change.posted != 0)\n            hf_event_add',
             'if (leg->change.posted > 0)\n            hf_event_add'),
    Mutation('an image loses what was proved', 'image_hold.c',
             '        .met = record->met,\n', ''),
    Mutation('a page of holds is the last one', 'query.c',
             'view->next_cursor = slot < slot_count ? slot : 0;', 'view->next_cursor = 0;'),
    Mutation('a month begins a day late', 'limit.c',
             'return month_of(day - (limit->start - 1));', 'return month_of(day - limit->start);'),
    Mutation('every week begins on a Monday', 'limit.c',
             'floor_divide(day + 3 - (limit->start - 1), 7)', 'floor_divide(day + 3, 7)'),
    Mutation('zones lie on the other side of Greenwich', 'limit.c',
             '(int64_t)(timestamp_ns / NS_PER_SECOND) + limit->zone_minutes * 60',
             '(int64_t)(timestamp_ns / NS_PER_SECOND) - limit->zone_minutes * 60'),
    Mutation('a window has no end', 'draw.c',
             '    if (limit->period != bearing->period)\n        used = (struct hf_usage){0};\n', ''),
    Mutation('a rolling window is a bucket short', 'limit.c',
             'period < HF_LIMIT_BUCKETS ? 0 : period - (HF_LIMIT_BUCKETS - 1)',
             'period < HF_LIMIT_BUCKETS ? 0 : period - (HF_LIMIT_BUCKETS - 2)'),
    Mutation('the buckets of a rolling window are rounded down', 'limit.c',
             '(length_ns + HF_LIMIT_BUCKETS - 2) / (HF_LIMIT_BUCKETS - 1)',
             'length_ns / (HF_LIMIT_BUCKETS - 1)'),
    Mutation('a bucket that comes round again is not emptied', 'draw.c',
             '        roll_on(rolling, limit->period, period);\n',
             '        if (period - limit->period >= HF_LIMIT_BUCKETS)\n'
             '            roll_on(rolling, limit->period, period);\n'),
    Mutation('of limits that allow the same the last one speaks', 'draw.c',
             'return one->is_count_used_up && !other->is_count_used_up;',
             'return !other->is_count_used_up || one->is_count_used_up;'),
    Mutation('a count that is used up does not come first', 'draw.c',
             'return one->is_count_used_up && !other->is_count_used_up;', 'return false;'),
    Mutation('the loosest limit binds', 'draw.c',
             'return one->amount < other->amount;',
             'return other->amount == HF_LIMIT_UNLIMITED || one->amount > other->amount;'),
    Mutation('a verification passes a count that is used up', 'draw.c',
             'if (strictest.amount >= *amount && !strictest.is_count_used_up)',
             'if (strictest.amount >= *amount)'),
    Mutation('a partial approval by limits needs more than its minimum', 'draw.c',
             'strictest.amount >= minimum', 'strictest.amount > minimum'),
    Mutation('a partial approval by funds needs more than its minimum', 'authorise.c',
             'can >= minimum', 'can > minimum'),
    Mutation('a partial approval draws nothing', 'authorise.c',
             '    hf_draw(ledger, answer->approved, auth->asset, answer);\n',
             '    if (answer->approved == auth->amount)\n'
             '        hf_draw(ledger, answer->approved, auth->asset, answer);\n'),
    Mutation('a partial approval draws what was asked for', 'authorise.c',
             'hf_draw(ledger, answer->approved, auth->asset, answer);',
             'hf_draw(ledger, auth->amount, auth->asset, answer);'),
    Mutation('a limit does not look at its filter', 'draw.c',
             'return limit->has_filter == 0 ||\n'
             '           hf_filter_passes(&hf_limit_more_of(limits, limit)->filter, attributes);',
             'return attributes != NULL && limits != NULL && limit != NULL;'),
    Mutation('the limits of a total are forgotten', 'draw.c',
             'if (terms->parent == HF_TABLE_NONE)\n            return;',
             'if (rule == HF_RULE_ACCOUNT_LIMIT)\n            return;'),
    Mutation('a limit set again forgets what is used', 'limit.c',
             'if (!is_same_window)', 'if (true)'),
    Mutation('a limit with another window keeps what is used', 'limit.c',
             'limit->zone_minutes == put->zone_minutes && limit->start == put->start;',
             'limit->zone_minutes == put->zone_minutes;'),
    Mutation('a limit is raised until it is none', 'limit.c',
             ' && *raised != HF_LIMIT_UNLIMITED;', ';'),
    Mutation('what is used wraps', 'limit.h',
             'return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;',
             '(void)__builtin_add_overflow(a, b, &sum);\n    return sum;'),
    Mutation('inside a chain what is used of a limit is not put back', 'draw.c',
             '    hf_undo_keep(&ledger->undo, limit, sizeof(*limit));\n', ''),
    Mutation('inside a chain the buckets of a limit are not put back', 'draw.c',
             '        hf_undo_keep(&ledger->undo, rolling, sizeof(*rolling));\n        roll_on(',
             '        roll_on('),
    Mutation('inside a chain the limits of a card are not moved back', 'limit.c',
             '    hf_undo_keep(undo, owner.first, sizeof(*owner.first));\n', ''),
    Mutation('the hold of a card never expires', 'authorise.c',
             '.expires_ns = hf_promise_class_expiry(ledger, auth->class_number),',
             '.expires_ns = 0,'),
    Mutation('an image loses the count of a limit', 'image_limit.c',
             '    limit->used.count = record.used_count;\n', ''),
    Mutation('a page of limits is the last one', 'query.c',
             'view->next_cursor = view->lines[view->count - 1].number;', 'view->next_cursor = 0;'),
    # What becomes of authorisations.
    Mutation('a reversal that comes first is not remembered', 'card.c',
             '    hf_record_bury(ledger, reverse->original, turn->keys[0].hash, reverse, turn->origin);\n', ''),
    Mutation('an original that comes late is accepted', 'promise.c',
             '    if (slot == HF_TABLE_NONE)\n        return true;\n    refuse_known',
             '    if (slot == HF_TABLE_NONE ||\n'
             '        hf_hold_at(&ledger->holds, slot)->status == HF_HOLD_REVERSED)\n'
             '        return true;\n    refuse_known'),
    Mutation('an original that comes late stays reversed before it came', 'record.c',
             '        take_over(ledger, slot, &alone, &more);', '        return;'),
    Mutation('who is refused leaves no record', 'record.c',
             '    else if (hf_hold_are_all_open(holds))\n        return;', '    else if (true)\n        return;'),
    Mutation('a verification leaves no record', 'authorise.c',
             '        hf_record_verify(ledger, turn, answer);', '        return;'),
    Mutation('what is stale answers a nanosecond longer', 'hold.h',
             'timestamp_ns - hold->ended_ns < holds->record_ns', 'timestamp_ns - hold->ended_ns <= holds->record_ns'),
    Mutation('what is stale answers until its place is needed', 'hold.h',
             'timestamp_ns - hold->ended_ns < holds->record_ns', 'true'),
    Mutation('any acquirer reverses', 'card.c', 'o->record->acquirer != acquirer', 'false'),
    Mutation('any origin reverses', 'card.c', 'o->s.more->origin != turn->origin', 'false'),
    Mutation('what was captured is reversed without asking', 'card.c',
             '(reverse->captured != 0 ? hold->captured : 0)', 'hold->captured'),
    Mutation('a reversal that is repeated finds nothing', 'card.c',
             'verdict.code == HF_CODE_NOTHING_TO_REVERSE && is_done(&o, reverse->amount)', 'false'),
    Mutation('any reversal after one is taken for its repeat', 'card.c',
             '(amount == HF_AMOUNT_ALL || amount == o->record->reversed)', 'true'),
    Mutation('a reversal leaves the amount as it was', 'card.c',
             '    hold->amount -= amount < hold->amount ? amount : hold->amount;\n', ''),
    Mutation('a clearing goes beyond its tolerance', 'card.c',
             'if (!hf_settlement_divide(&o->s, clear->amount, is_final) &&',
             'if (!hf_settlement_divide(&o->s, clear->amount, is_final) && false &&'),
    Mutation('a clearing does not look whom it is for', 'card.c',
             '!hf_id_equal(clear->payee, hf_settlement_payee(ledger, hold)->id)', 'false'),
    Mutation('what was cleared above the authorisation is not drawn', 'card.c',
             'if (over > over_before) {', 'if (false) {'),
    Mutation('a final clearing gives nothing back to limits', 'card.c',
             '    if (back > 0)\n        hf_refund', '    if (false)\n        hf_refund'),
    Mutation('of a lapsed authorisation nothing goes back to limits', 'card.c',
             'was_lapsed && is_final && hold->captured < hold->amount', 'false'),
    Mutation('an increment counts as an authorisation', 'draw.c',
             'draw_all(ledger, amount, 0);', 'draw_all(ledger, amount, 1);'),
    Mutation('an increment does not see what is held', 'draw.c',
             '                            ? held\n', '                            ? 0\n'),
    Mutation('an increment shortens a life', 'card.c',
             '(expires_ns != 0 && expires_ns <= more->expires_ns)', 'false'),
    Mutation('whatever was not estimated is raised', 'card.c',
             '(o->record->flags & HF_AUTHORISATION_ESTIMATED) == 0', 'false'),

    # Giving back.
    Mutation('a counter is given back with every part', 'refund.c',
             'bool is_drawn = is_last && (record', 'bool is_drawn = (record'),
    Mutation('a count is given back with every part', 'refund.c',
             '.is_count = is_last && (record', '.is_count = (record'),
    Mutation('more is given back than was drawn', 'refund.c',
             '    *drawn -= taken;\n    return taken;', '    *drawn -= taken;\n    return amount;'),
    Mutation('what was drawn later is given back to the first draw', 'refund.c',
             '.later_ns = holds->later[s->slot].draws_ns,', '.later_ns = made->timestamp_ns,'),
    Mutation('limits get it back into the present window', 'draw.c',
             'int64_t period = hf_limit_period(limit, timestamp_ns);\n\n    if (limit->window == HF_LIMIT_ROLLING) {\n        if (period > limit->period',
             'int64_t period = hf_limit_period(limit, ledger->bundle_ns + 0 * timestamp_ns);\n\n'
             '    if (limit->window == HF_LIMIT_ROLLING) {\n        if (period > limit->period'),
    Mutation('a window that is over gives back to the one after it', 'draw.c',
             'return period == limit->period ? &limit->used : NULL;', 'return &limit->used;'),
    Mutation('a limit gets back what it never gave', 'draw.c',
             'if (since > refund->place || limit->window', 'if (limit->window'),
    Mutation('a limit that was emptied gets back what was drawn before', 'limit.c',
             '    count_since(ledger, limit, place);\n    limit->used = ', '    limit->used = '),
    Mutation('inside a chain what was given back is not put back', 'draw.c',
             '    hf_undo_keep(&ledger->undo, used, sizeof(*used));\n', ''),
    Mutation('a counter that was set since is given back', 'instrument.c',
             'ledger->instrument_list.put_places[slot] > place ||\n', 'false && place != 0 && slot != 0 ||\n'),

    # Advices, and further accounts.
    Mutation('what is forced respects the floor', 'select.c',
             '(verdict.code == HF_CODE_INSUFFICIENT || verdict.code == HF_CODE_CEILING) &&',
             '(verdict.code == HF_CODE_CEILING) &&'),
    Mutation('what is forced respects a frozen payer', 'select.c',
             'if (code != HF_CODE_CLOSED && forgive(s, verdict))\n        return true;\n    if (s->payers.count == 1)',
             'if (code != HF_CODE_CLOSED && code != HF_CODE_RESTRICTED && forgive(s, verdict))\n'
             '        return true;\n    if (s->payers.count == 1)'),
    Mutation('the last thing forgiven is the exception', 'select.c',
             '    if (s->exception.code == HF_CODE_OK)\n        s->exception = verdict;',
             '    s->exception = verdict;'),
    Mutation('what is posted at once is not drawn', 'select.c',
             '    hf_draw_each(ledger, s->asset, s->answer);\n',
             '    if (!s->is_posted)\n        hf_draw_each(ledger, s->asset, s->answer);\n'),
    Mutation('what is posted at once cannot be reversed', 'select.c',
             '        .captured = s->amount,\n', ''),
    Mutation('money posted at once to an expired account stays there', 'select.c',
             '    hf_expire_watch(ledger, s.payee); /* it may have expired, and has money now */\n', ''),
    Mutation('further accounts pay from the last on', 'select.c',
             'for (uint32_t i = 0; i < s->payers.count && taker_count > 1; i++) {',
             'for (uint32_t i = s->payers.count; i-- > 0 && taker_count > 1;) {'),
    Mutation('a closed one of several accounts pays', 'select.c',
             '        if (s->refusals[i] != HF_CODE_OK)\n            continue;\n', ''),
    Mutation('several accounts do not see what they take under one limit', 'draw.c',
             '                    allowance.amount = left_of(allowance.amount, bearing->list[i].amount);\n',
             '                    allowance.amount += 0;\n'),
    Mutation('what two accounts take under one limit is drawn of one', 'draw.c',
             '            bearing->list[index].amount += amount;', '            ;'),
    Mutation('what is missing is taken from the first account, closed or not', 'select.c',
             '    s->payers.amounts[first] += left;', '    s->payers.amounts[0 * first] += left;'),
    Mutation('a partial approval by several accounts needs more than its minimum', 'select.c',
             'taken >= s->minimum', 'taken > s->minimum'),

    # Looking at records, and keeping them.
    Mutation('a page of authorisations is the last one', 'query.c',
             '        view->next_cursor = number;', '        view->next_cursor = 0;'),
    Mutation('a list of authorisations goes on behind one that is forgotten', 'record.c',
             '        holds->records[slot].instrument != instrument ||\n', '        instrument == HF_TABLE_NONE ||\n'),
    Mutation('an image loses what was reversed', 'image_hold.c',
             '        .reversed = image->reversed,\n', ''),
]


class Broken(Exception):
    """The canary itself does not work: what is wrong."""


def run(command, **options):
    # Memory filled at every malloc would cost the compiler and a hundred short runs more than they need.
    environment = {name: value for name, value in os.environ.items() if name != 'MALLOC_PERTURB_'}
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)


def compiled(root, source, target, optimised):
    """Compiles `source`, whose own folder's headers come first, and returns `target`. Beside it `target`.d names every
    file that was read."""
    folders = [root, os.path.join(root, 'tests/model')]
    done = run([os.environ.get('CC', 'cc'), *FLAGS, *optimised, *(f'-I{folder}' for folder in folders), '-MMD', '-MF',
                target + '.d', '-c', source, '-o', target])
    if done.returncode != 0:
        raise Broken(f'{source} does not compile:\n{done.stdout}')
    return target


def reads(target, path):
    """Whether what `target` was compiled from includes `path`."""
    with open(target + '.d', encoding='utf-8') as file:
        return path in file.read().split()


def functions_in(objects):
    """Of each object the functions it has, those of headers that it uses among them."""
    done = run(['nm', '--defined-only', *objects])
    if done.returncode != 0:
        raise Broken(f'nm fails:\n{done.stdout}')
    functions, path = {}, None
    for line in done.stdout.splitlines():
        if line.endswith(':'):
            path = line[:-1]
            functions[path] = set()
        elif line:
            functions[path].add(line.split()[2].partition('.')[0])
    return functions


def function_at(text, at):
    """The function of a header that has this place in its body."""
    before = re.findall(r'^static inline [^;{]*?(\w+)\(', text[:at], re.MULTILINE)
    if not before or text.rfind('\n}\n', 0, at) > text.rfind('\nstatic inline ', 0, at):
        raise Broken('the place is in no function of the header')
    return before[-1]


def linked(work, engine, tests, program):
    others = {name for name in tests if name.startswith('test_')} - {program + '.c'}
    objects = [*engine.values(), *(path for name, path in tests.items() if name not in others)]
    path = os.path.join(work, program)
    done = run([os.environ.get('CC', 'cc'), *objects, '-lsodium', '-o', path])
    if done.returncode != 0:
        raise Broken(f'does not link:\n{done.stdout}')
    return path


def how_caught(done):
    """What ended the run, in a few words; None when nothing did."""
    if done.returncode == 0:
        return None
    for line in done.stdout.splitlines():
        if line.startswith('FAILED: ') or 'Assertion' in line:
            return line
    raise Broken(f'ended without saying what it found, exit status {done.returncode}:\n{done.stdout}')


def hunt(root, work, mutation, healthy, functions, tests):
    """Builds an engine with the bug in a folder of its own. Returns what caught it and the words of that run; nothing
    and None when none did."""
    source = os.path.join(root, 'engine', mutation.file)
    with open(source, encoding='utf-8') as file:
        text = file.read()
    if text.count(mutation.old) != 1:
        raise Broken(f'{text.count(mutation.old)} places in {mutation.file} match, not one')
    with tempfile.TemporaryDirectory(dir=work) as own:
        mutant = os.path.join(own, 'engine')
        shutil.copytree(os.path.join(root, 'engine'), mutant)
        with open(os.path.join(mutant, mutation.file), 'w', encoding='utf-8') as file:
            file.write(text.replace(mutation.old, mutation.new))
        # A header's bug is in every object that uses the function that has it.
        mutated = function_at(text, text.index(mutation.old)) if mutation.file.endswith('.h') else None
        objects = {name: compiled(root, os.path.join(mutant, name), os.path.join(own, name + '.o'), ENGINE)
                   if reads(path, source) and (mutated is None or mutated in functions[path]) else path
                   for name, path in healthy.items()}
        programs = {}
        for words in RUNS:
            if words[0] not in programs:
                programs[words[0]] = linked(own, objects, tests, words[0])
            caught = how_caught(run([programs[words[0]], *words[1:]], timeout=TIMEOUT_S))
            if caught is not None:
                return caught, words
    return 'ESCAPED', None


def main():
    root = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as work, \
            concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as workers:

        def compile_all(folder, optimised):
            prefix = os.path.join(work, os.path.basename(folder) + '_')
            names = sorted(name for name in os.listdir(os.path.join(root, folder)) if name.endswith('.c'))
            return dict(zip(names, workers.map(
                lambda name: compiled(root, os.path.join(root, folder, name), prefix + name + '.o', optimised), names)))

        engine, tests = compile_all('engine', ENGINE), compile_all('tests/model', TESTS)
        functions = functions_in(engine.values())
        hunts = [workers.submit(hunt, root, work, mutation, engine, functions, tests) for mutation in MUTATIONS]
        escaped, runs = 0, set()
        for mutation, found in zip(MUTATIONS, hunts):
            try:
                caught, words = found.result()
            except Broken as broken:
                caught, words = str(broken), None
            print(f'{mutation.bug}: {caught}', flush=True)
            escaped += words is None
            runs |= {words} - {None}

        # What caught them must let the engine as it is pass.
        for words in sorted(runs):
            healthy = run([linked(work, engine, tests, words[0]), *words[1:]], timeout=TIMEOUT_S)
            if healthy.returncode != 0:
                raise Broken(f'the engine as it is does not pass:\n{healthy.stdout}')

    print(f'{len(MUTATIONS)} seeded bugs, {escaped} escaped')
    return 1 if escaped else 0


if __name__ == '__main__':
    sys.exit(main())
