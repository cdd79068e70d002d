/* The shape of operations, as a truth table: every field of every type, at its limits and one
 * beyond. */
#include "fixture.h"

#define FIELD(type, member) offsetof(struct type, member), sizeof(((struct type *)0)->member)
#define ALL_ONES            UINT64_MAX
#define AT(start, type, index, member)                                       \
    (start) + (index) * sizeof(struct type) + offsetof(struct type, member), \
        sizeof(((struct type *)0)->member)
#define ENTRY(of, index, member) AT(sizeof(struct of), hf_op_entry, index, member)
#define CONDITION(index, member)                                                                \
    AT(sizeof(struct hf_op_hold_plan) + 4 * sizeof(struct hf_op_entry), hf_op_condition, index, \
       member)
#define FURTHER(index) \
    sizeof(struct hf_op_instrument_put) + (index) * sizeof(struct hf_id), sizeof(struct hf_id)
#define EXPIRY(index, member) AT(sizeof(struct hf_op_expire), hf_op_expiry, index, member)

/* The long forms of the types that have two. */
#define LONG             0x80u
#define LONG_ACCOUNT_PUT (HF_OP_ACCOUNT_PUT | LONG)
#define LONG_CAPTURE     (HF_OP_CAPTURE | LONG)
#define LONG_INSTRUMENT  (HF_OP_INSTRUMENT_PUT | LONG) /* with further accounts */

/* Room for any operation. */
union any {
    union hf_operation op;
    uint8_t bytes[HF_OPERATION_LENGTH_MAX];
};

/* One change to a good operation, and what the check says then. An id (16 bytes) is set to `value`
 * in both halves, any other field to its low bytes. */
struct row {
    uint8_t type;
    size_t offset;
    size_t size;
    uint64_t value;
    uint16_t code;
    uint8_t rule;
    uint8_t entry;
};

#define OK_ROW HF_CODE_OK, HF_RULE_NONE, 0

/* In each type: from the first field to the last. */
static const struct row rows[] = {
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET, 0},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, asset), 1, OK_ROW},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, asset), 65535, OK_ROW},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, scale), 0, OK_ROW},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, scale), 18, OK_ROW},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, scale), 19, HF_CODE_MALFORMED, HF_RULE_ASSET, 0},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED,
     0},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, reserved[4]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED,
     0},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[0]), 0, HF_CODE_MALFORMED, HF_RULE_ASSET, 0},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[0]), 'A' - 1, HF_CODE_MALFORMED, HF_RULE_ASSET,
     0},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[0]), 'Z' + 1, HF_CODE_MALFORMED, HF_RULE_ASSET,
     0},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[0]), '0' - 1, HF_CODE_MALFORMED, HF_RULE_ASSET,
     0},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[0]), '9' + 1, HF_CODE_MALFORMED, HF_RULE_ASSET,
     0},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[0]), 'u', HF_CODE_MALFORMED, HF_RULE_ASSET, 0},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[0]), 'Z', OK_ROW},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[1]), '0', OK_ROW},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[1]), '9', OK_ROW},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[1]), 0, HF_CODE_MALFORMED, HF_RULE_ASSET, 0},
    {HF_OP_ASSET_PUT, FIELD(hf_op_asset_put, code[7]), 'A', HF_CODE_MALFORMED, HF_RULE_ASSET, 0},

    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, account), 0, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 0},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, account), ALL_ONES, HF_CODE_BAD_ID,
     HF_RULE_ACCOUNT, 0},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, account), 1, OK_ROW},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, floor), UINT64_C(1) << 63, OK_ROW},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, floor), INT64_MAX, OK_ROW},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET, 0},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, status), 1, OK_ROW},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, status), 2, HF_CODE_MALFORMED, HF_RULE_STATUS, 0},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, status), 255, HF_CODE_MALFORMED, HF_RULE_STATUS,
     0},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, flags), 1, HF_CODE_MALFORMED, HF_RULE_STATUS, 0},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 0},
    {HF_OP_ACCOUNT_PUT, FIELD(hf_op_account_put, reserved[3]), 128, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 0},

    {HF_OP_MOVE, FIELD(hf_op_move, payer), 0, HF_CODE_BAD_ID, HF_RULE_PAYER, 0},
    {HF_OP_MOVE, FIELD(hf_op_move, payer), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYER, 0},
    {HF_OP_MOVE, FIELD(hf_op_move, payee), 0, HF_CODE_BAD_ID, HF_RULE_PAYEE, 0},
    {HF_OP_MOVE, FIELD(hf_op_move, payee), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYEE, 0},
    {HF_OP_MOVE, FIELD(hf_op_move, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0},
    {HF_OP_MOVE, FIELD(hf_op_move, amount), 1, OK_ROW},
    {HF_OP_MOVE, FIELD(hf_op_move, amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_MOVE, FIELD(hf_op_move, amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT,
     0},
    {HF_OP_MOVE, FIELD(hf_op_move, amount), HF_AMOUNT_ALL, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0},
    {HF_OP_MOVE, FIELD(hf_op_move, asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET, 0},
    {HF_OP_MOVE, FIELD(hf_op_move, reserved), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_MOVE, FIELD(hf_op_move, reserved), 256, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_MOVE, FIELD(hf_op_move, reference), ALL_ONES, OK_ROW},

    {HF_OP_HOLD, FIELD(hf_op_hold, payer), 0, HF_CODE_BAD_ID, HF_RULE_PAYER, 0},
    {HF_OP_HOLD, FIELD(hf_op_hold, payer), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYER, 0},
    {HF_OP_HOLD, FIELD(hf_op_hold, payee), 0, HF_CODE_BAD_ID, HF_RULE_PAYEE, 0},
    {HF_OP_HOLD, FIELD(hf_op_hold, payee), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYEE, 0},
    {HF_OP_HOLD, FIELD(hf_op_hold, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0},
    {HF_OP_HOLD, FIELD(hf_op_hold, amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_HOLD, FIELD(hf_op_hold, amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT,
     0},
    {HF_OP_HOLD, FIELD(hf_op_hold, amount), HF_AMOUNT_ALL, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0},
    {HF_OP_HOLD, FIELD(hf_op_hold, asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET, 0},
    {HF_OP_HOLD, FIELD(hf_op_hold, reserved), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_HOLD, FIELD(hf_op_hold, reference), ALL_ONES, OK_ROW},
    {HF_OP_HOLD, FIELD(hf_op_hold, expires_ns), 1, OK_ROW},
    {HF_OP_HOLD, FIELD(hf_op_hold, expires_ns), ALL_ONES, OK_ROW},

    {HF_OP_CAPTURE, FIELD(hf_op_capture, hold), 0, HF_CODE_BAD_ID, HF_RULE_HOLD, 0},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, hold), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_HOLD, 0},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_AMOUNT, 0},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, amount), HF_AMOUNT_ALL - 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_AMOUNT, 0},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, amount), HF_AMOUNT_ALL, OK_ROW},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, final), 1, OK_ROW},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, final), 2, HF_CODE_MALFORMED, HF_RULE_STATUS, 0},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_CAPTURE, FIELD(hf_op_capture, reserved[6]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},

    {HF_OP_RELEASE, FIELD(hf_op_release, hold), 0, HF_CODE_BAD_ID, HF_RULE_HOLD, 0},
    {HF_OP_RELEASE, FIELD(hf_op_release, hold), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_HOLD, 0},
    {HF_OP_RELEASE, FIELD(hf_op_release, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0},
    {HF_OP_RELEASE, FIELD(hf_op_release, amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_AMOUNT, 0},
    {HF_OP_RELEASE, FIELD(hf_op_release, amount), HF_AMOUNT_ALL, OK_ROW},

    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, token), 0, HF_CODE_BAD_ID,
     HF_RULE_INSTRUMENT, 0},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, token), ALL_ONES, HF_CODE_BAD_ID,
     HF_RULE_INSTRUMENT, 0},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, account), 0, HF_CODE_BAD_ID, HF_RULE_ACCOUNT,
     0},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, account), ALL_ONES, HF_CODE_BAD_ID,
     HF_RULE_ACCOUNT, 0},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, expires_ns), ALL_ONES, OK_ROW},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, amount_limit), 0, OK_ROW},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, amount_limit), ALL_ONES, OK_ROW},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, remaining), 0, OK_ROW},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, remaining), ALL_ONES, OK_ROW},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, status), 3, OK_ROW},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, status), 4, HF_CODE_MALFORMED,
     HF_RULE_STATUS, 0},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, flags), 1, OK_ROW},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, flags), 2, HF_CODE_MALFORMED, HF_RULE_STATUS,
     0},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, flags), 129, HF_CODE_MALFORMED,
     HF_RULE_STATUS, 0},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, further_count), 8, HF_CODE_MALFORMED,
     HF_RULE_INSTRUMENT, 0},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 0},
    {HF_OP_INSTRUMENT_PUT, FIELD(hf_op_instrument_put, reserved[4]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 0},

    {LONG_INSTRUMENT, FIELD(hf_op_instrument_put, token), 0, HF_CODE_BAD_ID, HF_RULE_INSTRUMENT, 0},
    {LONG_INSTRUMENT, FIELD(hf_op_instrument_put, account), 0, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 0},
    {LONG_INSTRUMENT, FIELD(hf_op_instrument_put, status), 4, HF_CODE_MALFORMED, HF_RULE_STATUS, 0},
    {LONG_INSTRUMENT, FIELD(hf_op_instrument_put, flags), 2, HF_CODE_MALFORMED, HF_RULE_STATUS, 0},
    {LONG_INSTRUMENT, FIELD(hf_op_instrument_put, further_count), 8, HF_CODE_MALFORMED,
     HF_RULE_INSTRUMENT, 0},
    {LONG_INSTRUMENT, FIELD(hf_op_instrument_put, further_count), 255, HF_CODE_MALFORMED,
     HF_RULE_INSTRUMENT, 0},
    {LONG_INSTRUMENT, FIELD(hf_op_instrument_put, reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 0},
    {LONG_INSTRUMENT, FIELD(hf_op_instrument_put, reserved[4]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 0},
    {LONG_INSTRUMENT, FURTHER(0), 0, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 1},
    {LONG_INSTRUMENT, FURTHER(0), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 1},
    {LONG_INSTRUMENT, FURTHER(1), 0, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 2},
    {LONG_INSTRUMENT, FURTHER(1), 77, OK_ROW},
    {LONG_INSTRUMENT, FURTHER(2), 0, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 3},
    {LONG_INSTRUMENT, FURTHER(3), 0, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 4},
    {LONG_INSTRUMENT, FURTHER(4), 0, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 5},
    {LONG_INSTRUMENT, FURTHER(5), 0, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 6},
    {LONG_INSTRUMENT, FURTHER(6), 0, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 7},
    {LONG_INSTRUMENT, FURTHER(6), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 7},

    {HF_OP_AUTH, FIELD(hf_op_auth, token), 0, HF_CODE_BAD_ID, HF_RULE_INSTRUMENT, 0},
    {HF_OP_AUTH, FIELD(hf_op_auth, token), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_INSTRUMENT, 0},
    {HF_OP_AUTH, FIELD(hf_op_auth, payee), 0, HF_CODE_BAD_ID, HF_RULE_PAYEE, 0},
    {HF_OP_AUTH, FIELD(hf_op_auth, payee), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYEE, 0},
    {HF_OP_AUTH, FIELD(hf_op_auth, amount), 0, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT,
     0},
    {HF_OP_AUTH, FIELD(hf_op_auth, minimum), 1, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, minimum), 3, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, minimum), 4, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0},
    {HF_OP_AUTH, FIELD(hf_op_auth, minimum), ALL_ONES, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0},
    {HF_OP_AUTH, FIELD(hf_op_auth, billing_amount), 1, HF_CODE_UNSUPPORTED, HF_RULE_AMOUNT, 0},
    {HF_OP_AUTH, FIELD(hf_op_auth, acquirer), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, forwarder), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, terminal[7]), 255, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, merchant[15]), 255, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, network_id[15]), 255, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, rrn[11]), 255, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, stan), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, transmitted), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, local_time), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET, 0},
    {HF_OP_AUTH, FIELD(hf_op_auth, billing_asset), 1, HF_CODE_UNSUPPORTED, HF_RULE_ASSET, 0},
    {HF_OP_AUTH, FIELD(hf_op_auth, card_expiry), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, mcc), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, country), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, entry_mode), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, conditions), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, region), ALL_ONES, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, transaction_type), 255, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, channel), 255, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, class_number), 15, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, class_number), 16, HF_CODE_MALFORMED, HF_RULE_CLASS, 0},
    {HF_OP_AUTH, FIELD(hf_op_auth, auth_flags), 1, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, auth_flags), 3, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, auth_flags), 4, HF_CODE_MALFORMED, HF_RULE_STATUS, 0},
    {HF_OP_AUTH, FIELD(hf_op_auth, auth_flags), 129, HF_CODE_MALFORMED, HF_RULE_STATUS, 0},
    {HF_OP_AUTH, FIELD(hf_op_auth, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_AUTH, FIELD(hf_op_auth, reserved[1]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_AUTH, FIELD(hf_op_auth, tolerance), 1000, OK_ROW},
    {HF_OP_AUTH, FIELD(hf_op_auth, tolerance), 1001, HF_CODE_MALFORMED, HF_RULE_HOLD, 0},

    {HF_OP_INCREMENT, FIELD(hf_op_increment, original), 0, HF_CODE_BAD_ID, HF_RULE_ORIGINAL, 0},
    {HF_OP_INCREMENT, FIELD(hf_op_increment, original), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_ORIGINAL,
     0},
    {HF_OP_INCREMENT, FIELD(hf_op_increment, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0},
    {HF_OP_INCREMENT, FIELD(hf_op_increment, amount), 1, OK_ROW},
    {HF_OP_INCREMENT, FIELD(hf_op_increment, amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_INCREMENT, FIELD(hf_op_increment, amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_AMOUNT, 0},
    {HF_OP_INCREMENT, FIELD(hf_op_increment, amount), HF_AMOUNT_ALL, HF_CODE_BAD_AMOUNT,
     HF_RULE_AMOUNT, 0},
    {HF_OP_INCREMENT, FIELD(hf_op_increment, acquirer), ALL_ONES, OK_ROW},
    {HF_OP_INCREMENT, FIELD(hf_op_increment, asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET, 0},
    {HF_OP_INCREMENT, FIELD(hf_op_increment, asset), 65535, OK_ROW},
    {HF_OP_INCREMENT, FIELD(hf_op_increment, class_number), 0, OK_ROW},
    {HF_OP_INCREMENT, FIELD(hf_op_increment, class_number), 15, OK_ROW},
    {HF_OP_INCREMENT, FIELD(hf_op_increment, class_number), 16, HF_CODE_MALFORMED, HF_RULE_CLASS,
     0},
    {HF_OP_INCREMENT, FIELD(hf_op_increment, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED,
     0},
    {HF_OP_INCREMENT, FIELD(hf_op_increment, reserved[4]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED,
     0},

    {HF_OP_REVERSE, FIELD(hf_op_reverse, original), 0, HF_CODE_BAD_ID, HF_RULE_ORIGINAL, 0},
    {HF_OP_REVERSE, FIELD(hf_op_reverse, original), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_ORIGINAL, 0},
    {HF_OP_REVERSE, FIELD(hf_op_reverse, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0},
    {HF_OP_REVERSE, FIELD(hf_op_reverse, amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_REVERSE, FIELD(hf_op_reverse, amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_AMOUNT, 0},
    {HF_OP_REVERSE, FIELD(hf_op_reverse, amount), HF_AMOUNT_ALL - 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_AMOUNT, 0},
    {HF_OP_REVERSE, FIELD(hf_op_reverse, amount), HF_AMOUNT_ALL, OK_ROW},
    {HF_OP_REVERSE, FIELD(hf_op_reverse, acquirer), ALL_ONES, OK_ROW},
    {HF_OP_REVERSE, FIELD(hf_op_reverse, asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET, 0},
    {HF_OP_REVERSE, FIELD(hf_op_reverse, captured), 1, OK_ROW},
    {HF_OP_REVERSE, FIELD(hf_op_reverse, captured), 2, HF_CODE_MALFORMED, HF_RULE_STATUS, 0},
    {HF_OP_REVERSE, FIELD(hf_op_reverse, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_REVERSE, FIELD(hf_op_reverse, reserved[4]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},

    {HF_OP_CLEAR, FIELD(hf_op_clear, original), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_ORIGINAL, 0},
    {HF_OP_CLEAR, FIELD(hf_op_clear, token), 0, OK_ROW},
    {HF_OP_CLEAR, FIELD(hf_op_clear, token), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_INSTRUMENT, 0},
    {HF_OP_CLEAR, FIELD(hf_op_clear, payee), 0, OK_ROW},
    {HF_OP_CLEAR, FIELD(hf_op_clear, payee), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYEE, 0},
    {HF_OP_CLEAR, FIELD(hf_op_clear, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0},
    {HF_OP_CLEAR, FIELD(hf_op_clear, amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_CLEAR, FIELD(hf_op_clear, amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT,
     0},
    {HF_OP_CLEAR, FIELD(hf_op_clear, amount), HF_AMOUNT_ALL, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0},
    {HF_OP_CLEAR, FIELD(hf_op_clear, acquirer), ALL_ONES, OK_ROW},
    {HF_OP_CLEAR, FIELD(hf_op_clear, merchant), ALL_ONES, OK_ROW},
    {HF_OP_CLEAR, FIELD(hf_op_clear, asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET, 0},
    {HF_OP_CLEAR, FIELD(hf_op_clear, mcc), ALL_ONES, OK_ROW},
    {HF_OP_CLEAR, FIELD(hf_op_clear, country), ALL_ONES, OK_ROW},
    {HF_OP_CLEAR, FIELD(hf_op_clear, channel), 255, OK_ROW},
    {HF_OP_CLEAR, FIELD(hf_op_clear, clear_flags), 3, OK_ROW},
    {HF_OP_CLEAR, FIELD(hf_op_clear, clear_flags), 4, HF_CODE_MALFORMED, HF_RULE_STATUS, 0},
    {HF_OP_CLEAR, FIELD(hf_op_clear, clear_flags), 129, HF_CODE_MALFORMED, HF_RULE_STATUS, 0},
    {HF_OP_CLEAR, FIELD(hf_op_clear, reference), ALL_ONES, OK_ROW},
    {HF_OP_CLEAR, FIELD(hf_op_clear, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_CLEAR, FIELD(hf_op_clear, reserved[3]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},

    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, scope_id), 0, HF_CODE_BAD_ID, HF_RULE_INSTRUMENT, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, scope_id), ALL_ONES, HF_CODE_BAD_ID,
     HF_RULE_INSTRUMENT, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, max_amount), 0, OK_ROW},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, max_amount), ALL_ONES, OK_ROW},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, max_count), 0, OK_ROW},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, max_count), ALL_ONES, OK_ROW},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, length_ns), 64, HF_CODE_MALFORMED, HF_RULE_LIMIT, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, scope), 2, OK_ROW},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, number), 0, HF_CODE_MALFORMED, HF_RULE_LIMIT, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, number), 1, OK_ROW},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, number), 255, OK_ROW},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, window), 0, HF_CODE_MALFORMED, HF_RULE_LIMIT, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, window), 1, HF_CODE_MALFORMED, HF_RULE_LIMIT, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, window), 4, OK_ROW},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, window), 5, HF_CODE_MALFORMED, HF_RULE_LIMIT, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, window), 6, HF_CODE_MALFORMED, HF_RULE_LIMIT, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, window), 7, HF_CODE_MALFORMED, HF_RULE_LIMIT, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, mode), 1, HF_CODE_MALFORMED, HF_RULE_LIMIT, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, mode), 3, HF_CODE_MALFORMED, HF_RULE_LIMIT, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, zone_minutes), 840, OK_ROW},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, zone_minutes), 841, HF_CODE_MALFORMED, HF_RULE_LIMIT,
     0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, zone_minutes), (uint16_t)-840, OK_ROW},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, zone_minutes), (uint16_t)-841, HF_CODE_MALFORMED,
     HF_RULE_LIMIT, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, zone_minutes), 0x8000, HF_CODE_MALFORMED,
     HF_RULE_LIMIT, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, start), 0, HF_CODE_MALFORMED, HF_RULE_LIMIT, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, start), 1, OK_ROW},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, start), 7, OK_ROW},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, start), 8, HF_CODE_MALFORMED, HF_RULE_LIMIT, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, reserved), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, filter.mccs[7]), ALL_ONES, OK_ROW},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, filter.countries[3]), ALL_ONES, OK_ROW},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, filter.channels), ALL_ONES, OK_ROW},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, filter.reserved), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 0},
    {HF_OP_LIMIT_PUT, FIELD(hf_op_limit_put, filter.merchant), ALL_ONES, OK_ROW},

    {HF_OP_QUERY, FIELD(hf_op_query, subject_id), 0, HF_CODE_BAD_ID, HF_RULE_SUBJECT, 0},
    {HF_OP_QUERY, FIELD(hf_op_query, subject_id), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_SUBJECT, 0},
    {HF_OP_QUERY, FIELD(hf_op_query, subject), 0, HF_CODE_MALFORMED, HF_RULE_SUBJECT, 0},
    {HF_OP_QUERY, FIELD(hf_op_query, subject), 1, OK_ROW},
    {HF_OP_QUERY, FIELD(hf_op_query, subject), 4, OK_ROW},
    {HF_OP_QUERY, FIELD(hf_op_query, subject), 9, OK_ROW},
    {HF_OP_QUERY, FIELD(hf_op_query, subject), 10, HF_CODE_MALFORMED, HF_RULE_SUBJECT, 0},
    {HF_OP_QUERY, FIELD(hf_op_query, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_QUERY, FIELD(hf_op_query, reserved[2]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_QUERY, FIELD(hf_op_query, cursor), 1, HF_CODE_MALFORMED, HF_RULE_SUBJECT, 0},

    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, account), 0, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 0},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET, 0},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, flags), 1, OK_ROW},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, flags), 2, HF_CODE_MALFORMED, HF_RULE_STATUS, 0},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, flags), 129, HF_CODE_MALFORMED, HF_RULE_STATUS, 0},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 0},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, reserved[3]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 0},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, ceiling), ALL_ONES, OK_ROW},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, expires_ns), ALL_ONES, OK_ROW},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, parent), 0, OK_ROW},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, parent), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PARENT,
     0},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, sink), 0, OK_ROW},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, sink), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_SINK, 0},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, filter.mccs[7]), ALL_ONES, OK_ROW},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, filter.countries[3]), ALL_ONES, OK_ROW},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, filter.channels), ALL_ONES, OK_ROW},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, filter.reserved), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 0},
    {LONG_ACCOUNT_PUT, FIELD(hf_op_account_put, filter.merchant), ALL_ONES, OK_ROW},

    {HF_OP_ACCOUNT_CLOSE, FIELD(hf_op_account_close, account), 0, HF_CODE_BAD_ID, HF_RULE_ACCOUNT,
     0},
    {HF_OP_ACCOUNT_CLOSE, FIELD(hf_op_account_close, account), ALL_ONES, HF_CODE_BAD_ID,
     HF_RULE_ACCOUNT, 0},
    {HF_OP_ACCOUNT_CLOSE, FIELD(hf_op_account_close, sink), 0, OK_ROW},
    {HF_OP_ACCOUNT_CLOSE, FIELD(hf_op_account_close, sink), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_SINK,
     0},

    {LONG_CAPTURE, FIELD(hf_op_capture, hold), 0, HF_CODE_BAD_ID, HF_RULE_HOLD, 0},
    {LONG_CAPTURE, FIELD(hf_op_capture, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0},
    {LONG_CAPTURE, FIELD(hf_op_capture, final), 2, HF_CODE_MALFORMED, HF_RULE_STATUS, 0},
    {LONG_CAPTURE, FIELD(hf_op_capture, reserved[6]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {LONG_CAPTURE, FIELD(hf_op_capture, payee), 0, OK_ROW},
    {LONG_CAPTURE, FIELD(hf_op_capture, payee), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYEE, 0},

    {HF_OP_ADJUST, FIELD(hf_op_adjust, hold), 0, HF_CODE_BAD_ID, HF_RULE_HOLD, 0},
    {HF_OP_ADJUST, FIELD(hf_op_adjust, hold), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_HOLD, 0},
    {HF_OP_ADJUST, FIELD(hf_op_adjust, amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_ADJUST, FIELD(hf_op_adjust, amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_AMOUNT, 0},
    {HF_OP_ADJUST, FIELD(hf_op_adjust, amount), HF_AMOUNT_ALL, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT,
     0},
    {HF_OP_ADJUST, FIELD(hf_op_adjust, expires_ns), 0, OK_ROW},
    {HF_OP_ADJUST, FIELD(hf_op_adjust, expires_ns), ALL_ONES, OK_ROW},
    {HF_OP_ADJUST, FIELD(hf_op_adjust, mode), 2, OK_ROW},
    {HF_OP_ADJUST, FIELD(hf_op_adjust, mode), 3, OK_ROW},
    {HF_OP_ADJUST, FIELD(hf_op_adjust, mode), 4, HF_CODE_MALFORMED, HF_RULE_STATUS, 0},
    {HF_OP_ADJUST, FIELD(hf_op_adjust, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_ADJUST, FIELD(hf_op_adjust, reserved[6]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},

    {HF_OP_ATTEST, FIELD(hf_op_attest, hold), 0, HF_CODE_BAD_ID, HF_RULE_HOLD, 0},
    {HF_OP_ATTEST, FIELD(hf_op_attest, hold), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_HOLD, 0},
    {HF_OP_ATTEST, FIELD(hf_op_attest, condition), 0, HF_CODE_MALFORMED, HF_RULE_CONDITION, 0},
    {HF_OP_ATTEST, FIELD(hf_op_attest, condition), 8, OK_ROW},
    {HF_OP_ATTEST, FIELD(hf_op_attest, condition), 9, HF_CODE_MALFORMED, HF_RULE_CONDITION, 0},
    {HF_OP_ATTEST, FIELD(hf_op_attest, proof_length), 64, OK_ROW},
    {HF_OP_ATTEST, FIELD(hf_op_attest, proof_length), 65, HF_CODE_MALFORMED, HF_RULE_CONDITION, 0},
    {HF_OP_ATTEST, FIELD(hf_op_attest, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_ATTEST, FIELD(hf_op_attest, reserved[1]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_ATTEST, FIELD(hf_op_attest, code), ALL_ONES, OK_ROW},
    {HF_OP_ATTEST, FIELD(hf_op_attest, proof[4]), 1, OK_ROW},
    {HF_OP_ATTEST, FIELD(hf_op_attest, proof[5]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_ATTEST, FIELD(hf_op_attest, proof[63]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},

    {HF_OP_CLASS_PUT, FIELD(hf_op_class_put, class_number), 0, HF_CODE_MALFORMED, HF_RULE_CLASS, 0},
    {HF_OP_CLASS_PUT, FIELD(hf_op_class_put, class_number), 15, OK_ROW},
    {HF_OP_CLASS_PUT, FIELD(hf_op_class_put, class_number), 16, HF_CODE_MALFORMED, HF_RULE_CLASS,
     0},
    {HF_OP_CLASS_PUT, FIELD(hf_op_class_put, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED,
     0},
    {HF_OP_CLASS_PUT, FIELD(hf_op_class_put, reserved[6]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED,
     0},
    {HF_OP_CLASS_PUT, FIELD(hf_op_class_put, lifetime_ns), ALL_ONES, OK_ROW},

    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT,
     0},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_AMOUNT, 0},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.amount), HF_AMOUNT_ALL - 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_AMOUNT, 0},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.minimum), 20, OK_ROW},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.minimum), 21, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT,
     0},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET, 0},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.mcc), ALL_ONES, OK_ROW},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.country), ALL_ONES, OK_ROW},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.channel), 31, OK_ROW},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.channel), 32, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.method), 2, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.source_count), 0, HF_CODE_MALFORMED, HF_RULE_PLAN,
     0},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.source_count), 33, HF_CODE_MALFORMED,
     HF_RULE_PLAN, 0},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.destination_count), 0, HF_CODE_MALFORMED,
     HF_RULE_PLAN, 0},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.destination_count), 33, HF_CODE_MALFORMED,
     HF_RULE_PLAN, 0},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.choose_max), 1, HF_CODE_MALFORMED, HF_RULE_PLAN,
     0},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.reserved), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED,
     0},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.reference), ALL_ONES, OK_ROW},
    {HF_OP_MOVE_PLAN, FIELD(hf_op_move_plan, plan.merchant), ALL_ONES, OK_ROW},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 0, account), 0, HF_CODE_BAD_ID, HF_RULE_PAYER, 1},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 0, account), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYER,
     1},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 0, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 1},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 0, amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 0, amount), HF_AMOUNT_ALL, HF_CODE_BAD_AMOUNT,
     HF_RULE_PAYER, 1},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 0, reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 1},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 0, reserved[6]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 1},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 1, account), 0, HF_CODE_BAD_ID, HF_RULE_PAYER, 2},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 1, account), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYER,
     2},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 1, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 2},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 1, amount), HF_AMOUNT_ALL, OK_ROW},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 1, amount), HF_AMOUNT_ALL - 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_PAYER, 2},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 1, reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 2},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 1, reserved[6]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 2},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 2, account), 0, HF_CODE_BAD_ID, HF_RULE_PAYER, 3},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 2, account), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYER,
     3},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 2, amount), 1, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 3},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 2, reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 3},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 2, reserved[6]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 3},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 3, account), 0, HF_CODE_BAD_ID, HF_RULE_PAYEE, 4},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 3, account), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYEE,
     4},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 3, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_PAYEE, 4},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 3, amount), HF_AMOUNT_ALL, OK_ROW},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 3, amount), HF_AMOUNT_ALL - 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_PAYEE, 4},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 3, reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 4},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 3, reserved[6]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 4},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 4, account), 0, HF_CODE_BAD_ID, HF_RULE_PAYEE, 5},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 4, account), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYEE,
     5},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 4, amount), 1, HF_CODE_BAD_AMOUNT, HF_RULE_PAYEE, 5},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 4, reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 5},
    {HF_OP_MOVE_PLAN, ENTRY(hf_op_move_plan, 4, reserved[6]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 5},

    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT,
     0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.amount), HF_AMOUNT_MAX + 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_AMOUNT, 0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.amount), HF_AMOUNT_ALL - 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_AMOUNT, 0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.minimum), 20, OK_ROW},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.minimum), 21, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT,
     0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.asset), 0, HF_CODE_MALFORMED, HF_RULE_ASSET, 0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.mcc), ALL_ONES, OK_ROW},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.country), ALL_ONES, OK_ROW},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.channel), 31, OK_ROW},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.channel), 32, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.method), 2, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.source_count), 0, HF_CODE_MALFORMED, HF_RULE_PLAN,
     0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.source_count), 33, HF_CODE_MALFORMED,
     HF_RULE_PLAN, 0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.destination_count), 2, HF_CODE_MALFORMED,
     HF_RULE_PLAN, 0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.choose_max), 1, HF_CODE_MALFORMED, HF_RULE_PLAN,
     0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.reserved), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED,
     0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.reference), ALL_ONES, OK_ROW},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, plan.merchant), ALL_ONES, OK_ROW},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, terms.expires_ns), ALL_ONES, OK_ROW},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, terms.tolerance), 1000, OK_ROW},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, terms.tolerance), 1001, HF_CODE_MALFORMED,
     HF_RULE_HOLD, 0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, terms.class_number), 15, OK_ROW},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, terms.class_number), 16, HF_CODE_MALFORMED,
     HF_RULE_CLASS, 0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, terms.policy), 6, OK_ROW},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, terms.policy), 8, HF_CODE_MALFORMED, HF_RULE_STATUS,
     0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, terms.policy), 1, HF_CODE_MALFORMED, HF_RULE_CONDITION,
     0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, terms.condition_count), 9, HF_CODE_MALFORMED,
     HF_RULE_CONDITION, 0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, terms.required), 0, HF_CODE_MALFORMED,
     HF_RULE_CONDITION, 0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, terms.required), 1, OK_ROW},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, terms.required), 3, HF_CODE_MALFORMED,
     HF_RULE_CONDITION, 0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, terms.reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 0},
    {HF_OP_HOLD_PLAN, FIELD(hf_op_hold_plan, terms.reserved[1]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 0},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 0, account), 0, HF_CODE_BAD_ID, HF_RULE_PAYER, 1},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 0, account), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYER,
     1},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 0, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 1},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 0, amount), HF_AMOUNT_MAX, OK_ROW},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 0, amount), HF_AMOUNT_ALL, HF_CODE_BAD_AMOUNT,
     HF_RULE_PAYER, 1},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 0, reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 1},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 0, reserved[6]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 1},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 1, account), 0, HF_CODE_BAD_ID, HF_RULE_PAYER, 2},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 1, account), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYER,
     2},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 1, amount), 0, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 2},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 1, amount), HF_AMOUNT_ALL, OK_ROW},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 1, amount), HF_AMOUNT_ALL - 1, HF_CODE_BAD_AMOUNT,
     HF_RULE_PAYER, 2},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 1, reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 2},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 1, reserved[6]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 2},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 2, account), 0, HF_CODE_BAD_ID, HF_RULE_PAYER, 3},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 2, account), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYER,
     3},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 2, amount), 1, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 3},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 2, reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 3},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 2, reserved[6]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 3},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 3, account), 0, HF_CODE_BAD_ID, HF_RULE_PAYEE, 4},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 3, account), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_PAYEE,
     4},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 3, amount), 1, HF_CODE_BAD_AMOUNT, HF_RULE_PAYEE, 4},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 3, reserved[0]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 4},
    {HF_OP_HOLD_PLAN, ENTRY(hf_op_hold_plan, 3, reserved[6]), 1, HF_CODE_MALFORMED,
     HF_RULE_RESERVED, 4},
    {HF_OP_HOLD_PLAN, CONDITION(0, kind), 0, HF_CODE_MALFORMED, HF_RULE_CONDITION, 1},
    {HF_OP_HOLD_PLAN, CONDITION(0, kind), 8, HF_CODE_MALFORMED, HF_RULE_CONDITION, 1},
    {HF_OP_HOLD_PLAN, CONDITION(0, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 1},
    {HF_OP_HOLD_PLAN, CONDITION(0, reserved[2]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 1},
    {HF_OP_HOLD_PLAN, CONDITION(0, code), 1, HF_CODE_MALFORMED, HF_RULE_CONDITION, 1},
    {HF_OP_HOLD_PLAN, CONDITION(0, time_ns), 1, HF_CODE_MALFORMED, HF_RULE_CONDITION, 1},
    {HF_OP_HOLD_PLAN, CONDITION(0, bytes), 0, HF_CODE_MALFORMED, HF_RULE_CONDITION, 1},
    {HF_OP_HOLD_PLAN, CONDITION(1, kind), 0, HF_CODE_MALFORMED, HF_RULE_CONDITION, 2},
    {HF_OP_HOLD_PLAN, CONDITION(1, kind), 8, HF_CODE_MALFORMED, HF_RULE_CONDITION, 2},
    {HF_OP_HOLD_PLAN, CONDITION(1, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 2},
    {HF_OP_HOLD_PLAN, CONDITION(1, reserved[2]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 2},
    {HF_OP_HOLD_PLAN, CONDITION(1, code), 1, HF_CODE_MALFORMED, HF_RULE_CONDITION, 2},
    {HF_OP_HOLD_PLAN, CONDITION(1, time_ns), 0, HF_CODE_MALFORMED, HF_RULE_CONDITION, 2},
    {HF_OP_HOLD_PLAN, CONDITION(1, bytes), 1, HF_CODE_MALFORMED, HF_RULE_CONDITION, 2},

    {HF_OP_EXPIRE, FIELD(hf_op_expire, count), 0, HF_CODE_MALFORMED, HF_RULE_EXPIRY, 0},
    {HF_OP_EXPIRE, FIELD(hf_op_expire, count), 65, HF_CODE_MALFORMED, HF_RULE_EXPIRY, 0},
    {HF_OP_EXPIRE, FIELD(hf_op_expire, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_EXPIRE, FIELD(hf_op_expire, reserved[6]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_EXPIRE, EXPIRY(0, id), 0, HF_CODE_BAD_ID, HF_RULE_EXPIRY, 1},
    {HF_OP_EXPIRE, EXPIRY(0, id), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_EXPIRY, 1},
    {HF_OP_EXPIRE, EXPIRY(0, kind), 0, HF_CODE_MALFORMED, HF_RULE_EXPIRY, 1},
    {HF_OP_EXPIRE, EXPIRY(0, kind), 2, OK_ROW},
    {HF_OP_EXPIRE, EXPIRY(0, kind), 3, HF_CODE_MALFORMED, HF_RULE_EXPIRY, 1},
    {HF_OP_EXPIRE, EXPIRY(0, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 1},
    {HF_OP_EXPIRE, EXPIRY(0, reserved[6]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 1},
    {HF_OP_EXPIRE, EXPIRY(1, id), 0, HF_CODE_BAD_ID, HF_RULE_EXPIRY, 2},
    {HF_OP_EXPIRE, EXPIRY(1, id), ALL_ONES, HF_CODE_BAD_ID, HF_RULE_EXPIRY, 2},
    {HF_OP_EXPIRE, EXPIRY(1, kind), 0, HF_CODE_MALFORMED, HF_RULE_EXPIRY, 2},
    {HF_OP_EXPIRE, EXPIRY(1, kind), 2, OK_ROW},
    {HF_OP_EXPIRE, EXPIRY(1, kind), 3, HF_CODE_MALFORMED, HF_RULE_EXPIRY, 2},
    {HF_OP_EXPIRE, EXPIRY(1, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 2},
    {HF_OP_EXPIRE, EXPIRY(1, reserved[6]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 2},

    {HF_OP_CHAIN, FIELD(hf_op_chain, count), 0, HF_CODE_MALFORMED, HF_RULE_CHAIN, 0},
    {HF_OP_CHAIN, FIELD(hf_op_chain, count), 33, HF_CODE_MALFORMED, HF_RULE_CHAIN, 0},
    {HF_OP_CHAIN, FIELD(hf_op_chain, reserved[0]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
    {HF_OP_CHAIN, FIELD(hf_op_chain, reserved[6]), 1, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static const uint8_t body_types[] = {
    HF_OP_ASSET_PUT, HF_OP_ACCOUNT_PUT, LONG_ACCOUNT_PUT,     HF_OP_ACCOUNT_CLOSE, HF_OP_MOVE,
    HF_OP_HOLD,      HF_OP_CAPTURE,     LONG_CAPTURE,         HF_OP_RELEASE,       HF_OP_ADJUST,
    HF_OP_ATTEST,    HF_OP_CLASS_PUT,   HF_OP_INSTRUMENT_PUT, HF_OP_AUTH,          HF_OP_QUERY,
    HF_OP_MOVE_PLAN, HF_OP_HOLD_PLAN,   HF_OP_EXPIRE,         HF_OP_CHAIN,         HF_OP_LIMIT_PUT,
    HF_OP_INCREMENT, HF_OP_REVERSE,     HF_OP_CLEAR,          LONG_INSTRUMENT,
};
#define BODY_TYPE_COUNT (sizeof(body_types) / sizeof(body_types[0]))

static struct fixture pen = {.now_ns = START_NS}; /* whoever writes these operations */

static void begin(union any *any, uint8_t type, size_t length)
{
    any->op.header = header_of(&pen, type);
    any->op.header.length = (uint16_t)length;
    any->op.header.flags = 0;
}

static struct hf_op_entry entry_of(uint64_t number, uint8_t rule, uint64_t amount)
{
    return (struct hf_op_entry){.account = account_id(number), .amount = amount, .rule = rule};
}

static const struct hf_op_plan good_plan = {
    .amount = 20, .asset = USD, .source_count = 3, .destination_count = 1};

static void make_move_plan(union any *any)
{
    begin(any, HF_OP_MOVE_PLAN, sizeof any->op.move_plan + 5 * sizeof(struct hf_op_entry));
    any->op.move_plan.plan = good_plan;
    any->op.move_plan.plan.destination_count = 2;
    any->op.move_plan.entries[0] = entry_of(11, HF_ENTRY_FIXED, 5);
    any->op.move_plan.entries[1] = entry_of(12, HF_ENTRY_UP_TO, 7);
    any->op.move_plan.entries[2] = entry_of(13, HF_ENTRY_REMAINING, 0);
    any->op.move_plan.entries[3] = entry_of(14, HF_ENTRY_UP_TO, 9);
    any->op.move_plan.entries[4] = entry_of(15, HF_ENTRY_REMAINING, 0);
}

static void make_hold_plan(union any *any)
{
    struct hf_op_hold_plan *hold = &any->op.hold_plan;

    begin(any, HF_OP_HOLD_PLAN,
          sizeof *hold + 4 * sizeof(struct hf_op_entry) + 2 * sizeof(struct hf_op_condition));
    hold->plan = good_plan;
    hold->terms = (struct hf_op_terms){.condition_count = 2, .required = 2};
    hold->entries[0] = entry_of(11, HF_ENTRY_FIXED, 5);
    hold->entries[1] = entry_of(12, HF_ENTRY_UP_TO, 7);
    hold->entries[2] = entry_of(13, HF_ENTRY_REMAINING, 0);
    hold->entries[3] = entry_of(14, HF_ENTRY_REMAINING, 0);
    const struct hf_op_condition conditions[] = {
        {.kind = HF_CONDITION_BLAKE2B, .bytes = {1}},
        {.kind = HF_CONDITION_NOT_AFTER, .time_ns = 5},
    };
    memcpy(hold->entries + 4, conditions, sizeof conditions);
}

static void make_expire(union any *any)
{
    begin(any, HF_OP_EXPIRE, sizeof any->op.expire + 2 * sizeof(struct hf_op_expiry));
    any->op.expire.count = 2;
    for (uint32_t i = 0; i < 2; i++)
        any->op.expire.expiries[i] =
            (struct hf_op_expiry){.id = account_id(5 + i), .kind = HF_EXPIRY_HOLD};
}

/* Adds to a chain; where the operation's copy begins is returned. */
static union hf_operation *chain_add(union any *chain, const union hf_operation *inner)
{
    uint8_t *end = chain->bytes + chain->op.header.length;

    memcpy(end, inner, inner->header.length);
    chain->op.header.length = (uint16_t)(chain->op.header.length + inner->header.length);
    chain->op.chain.count++;
    return (union hf_operation *)(void *)end;
}

static void make_chain(union any *any)
{
    union hf_operation move = make_move(&pen, 1, 2, 3);
    union hf_operation hold = make_hold(&pen, 1, 2, 3);

    begin(any, HF_OP_CHAIN, sizeof any->op.chain);
    move.header.flags = 0;
    hold.header.flags = 0;
    chain_add(any, &move);
    chain_add(any, &hold);
}

static union hf_operation good_short(uint8_t type)
{
    union hf_operation op = {.bytes = {0}};

    switch (type) {
    case HF_OP_ASSET_PUT:
        return make_asset(&pen, USD, "USD");
    case HF_OP_ACCOUNT_PUT:
        return make_account(&pen, 1, 0);
    case HF_OP_MOVE:
        return make_move(&pen, 1, 2, 3);
    case HF_OP_HOLD:
        return make_hold(&pen, 1, 2, 3);
    case HF_OP_CAPTURE:
        return make_capture(&pen, account_id(9), 3, false);
    case HF_OP_RELEASE:
        return make_release(&pen, account_id(9), 3);
    case HF_OP_INSTRUMENT_PUT:
        return make_instrument(&pen, 5, 1);
    case HF_OP_AUTH:
        return make_auth(&pen, 5, 2, 3);
    default:
        assert_int_equal(type, HF_OP_QUERY);
        op.query.header = header_of(&pen, HF_OP_QUERY);
        op.query.subject_id = account_id(1);
        op.query.subject = HF_QUERY_ACCOUNT;
        return op;
    }
}

static union any *good_operation(uint8_t type)
{
    static union any any;

    memset(&any, 0, sizeof any);
    switch (type) {
    case LONG_ACCOUNT_PUT:
        any.op = make_account(&pen, 1, 0);
        any.op.header.length = sizeof(struct hf_op_account_put);
        any.op.account_put.parent = account_id(2);
        any.op.account_put.sink = account_id(3);
        break;
    case HF_OP_ACCOUNT_CLOSE:
        begin(&any, type, sizeof any.op.account_close);
        any.op.account_close.account = account_id(1);
        any.op.account_close.sink = account_id(2);
        break;
    case LONG_CAPTURE:
        any.op = make_capture(&pen, account_id(9), 3, false);
        any.op.header.length = sizeof(struct hf_op_capture);
        any.op.capture.payee = account_id(4);
        break;
    case HF_OP_INCREMENT:
        begin(&any, type, sizeof any.op.increment);
        any.op.increment.original = account_id(9);
        any.op.increment.amount = 3;
        any.op.increment.asset = USD;
        break;
    case HF_OP_REVERSE:
        begin(&any, type, sizeof any.op.reverse);
        any.op.reverse.original = account_id(9);
        any.op.reverse.amount = HF_AMOUNT_ALL;
        any.op.reverse.asset = USD;
        break;
    case HF_OP_CLEAR:
        begin(&any, type, sizeof any.op.clear);
        any.op.clear.original = account_id(9);
        any.op.clear.token = account_id(5);
        any.op.clear.payee = account_id(2);
        any.op.clear.amount = 3;
        any.op.clear.asset = USD;
        break;
    case LONG_INSTRUMENT:
        any.op = make_instrument(&pen, 5, 1);
        any.op.instrument_put.further_count = HF_INSTRUMENT_FURTHER_MAX;
        any.op.header.length =
            sizeof(struct hf_op_instrument_put) + HF_INSTRUMENT_FURTHER_MAX * sizeof(struct hf_id);
        for (uint64_t i = 0; i < HF_INSTRUMENT_FURTHER_MAX; i++)
            any.op.instrument_put.further[i] = account_id(11 + i);
        break;
    case HF_OP_LIMIT_PUT: /* a week of an instrument's */
        begin(&any, type, sizeof any.op.limit_put);
        any.op.limit_put.scope_id = account_id(5);
        any.op.limit_put.max_amount = 900;
        any.op.limit_put.max_count = HF_LIMIT_UNLIMITED;
        any.op.limit_put.scope = HF_LIMIT_INSTRUMENT;
        any.op.limit_put.number = 3;
        any.op.limit_put.window = HF_LIMIT_WEEK;
        any.op.limit_put.zone_minutes = 120;
        any.op.limit_put.start = 5;
        break;
    case HF_OP_ADJUST:
        begin(&any, type, sizeof any.op.adjust);
        any.op.adjust.hold = account_id(9);
        any.op.adjust.amount = 3;
        any.op.adjust.mode = HF_ADJUST_RAISE;
        break;
    case HF_OP_ATTEST:
        begin(&any, type, sizeof any.op.attest);
        any.op.attest.hold = account_id(9);
        any.op.attest.condition = 1;
        any.op.attest.proof_length = 5;
        memcpy(any.op.attest.proof, "proof", 5);
        break;
    case HF_OP_CLASS_PUT:
        begin(&any, type, sizeof any.op.class_put);
        any.op.class_put.class_number = 1;
        break;
    case HF_OP_MOVE_PLAN:
        make_move_plan(&any);
        break;
    case HF_OP_HOLD_PLAN:
        make_hold_plan(&any);
        break;
    case HF_OP_EXPIRE:
        make_expire(&any);
        break;
    case HF_OP_CHAIN:
        make_chain(&any);
        break;
    default:
        any.op = good_short(type);
    }
    return &any;
}

static void change(union any *any, const struct row *row)
{
    for (size_t i = 0; i < row->size; i += sizeof(row->value)) {
        size_t part = row->size - i < sizeof(row->value) ? row->size - i : sizeof(row->value);
        memcpy(any->bytes + row->offset + i, &row->value, part);
    }
}

#define assert_verdict(op, available, expected_code, expected_rule)                    \
    do {                                                                               \
        struct hf_verdict verdict_ = hf_operation_check((op), (available));            \
        assert_string_equal(hf_code_name(verdict_.code), hf_code_name(expected_code)); \
        assert_string_equal(hf_rule_name(verdict_.rule), hf_rule_name(expected_rule)); \
    } while (0)

#define assert_entry(any, expected_code, expected_rule, expected_entry)                \
    do {                                                                               \
        struct hf_verdict verdict_ = hf_operation_check(&(any)->op, sizeof *(any));    \
        assert_string_equal(hf_code_name(verdict_.code), hf_code_name(expected_code)); \
        assert_string_equal(hf_rule_name(verdict_.rule), hf_rule_name(expected_rule)); \
        assert_int_equal(verdict_.entry, (expected_entry));                            \
    } while (0)

static bool is_verdict_of(const struct row *row, struct hf_verdict verdict)
{
    return verdict.code == row->code && verdict.rule == row->rule && verdict.entry == row->entry;
}

static void test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        union any *any = good_operation(rows[i].type);
        assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
        change(any, &rows[i]);
        struct hf_verdict verdict = hf_operation_check(&any->op, sizeof(*any));
        if (!is_verdict_of(&rows[i], verdict)) {
            fail_msg("row %zu, %s at %zu = %llu: %s/%s:%u", i,
                     hf_operation_name((uint8_t)(rows[i].type & ~LONG)), rows[i].offset,
                     (unsigned long long)rows[i].value, hf_code_name(verdict.code),
                     hf_rule_name(verdict.rule), verdict.entry);
        }
    }
}

/* Of any two bad fields the first in the layout decides. */
static void test_first_bad_field_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        for (size_t j = i + 1; j < ROW_COUNT; j++) {
            if (rows[i].type != rows[j].type || rows[i].offset == rows[j].offset ||
                rows[i].code == HF_CODE_OK || rows[j].code == HF_CODE_OK)
                continue;
            assert_true(rows[i].offset < rows[j].offset);
            union any *any = good_operation(rows[i].type);
            change(any, &rows[i]);
            change(any, &rows[j]);
            struct hf_verdict verdict = hf_operation_check(&any->op, sizeof(*any));
            if (!is_verdict_of(&rows[i], verdict))
                fail_msg("rows %zu and %zu: %s/%s:%u", i, j, hf_code_name(verdict.code),
                         hf_rule_name(verdict.rule), verdict.entry);
        }
    }
}

#define IS_WITHIN(at, type, first, end) \
    ((at) >= offsetof(struct type, first) && (at) < offsetof(struct type, end))

/* Every byte of the body that is not named free below matters: some value of it is refused, or it
 * is part of an id, where only the whole counts. */
static bool is_free_byte(uint8_t type, size_t at)
{
    switch (type) {
    case HF_OP_ACCOUNT_PUT:
        return IS_WITHIN(at, hf_op_account_put, floor, asset);
    case LONG_ACCOUNT_PUT:
        return IS_WITHIN(at, hf_op_account_put, floor, asset) ||
               IS_WITHIN(at, hf_op_account_put, ceiling, parent) ||
               IS_WITHIN(at, hf_op_account_put, filter, filter.reserved) ||
               at >= offsetof(struct hf_op_account_put, filter.merchant);
    case HF_OP_MOVE:
        return at >= offsetof(struct hf_op_move, reference);
    case HF_OP_HOLD:
        return at >= offsetof(struct hf_op_hold, reference);
    case HF_OP_ADJUST:
        return IS_WITHIN(at, hf_op_adjust, expires_ns, mode);
    case HF_OP_ATTEST:
        return IS_WITHIN(at, hf_op_attest, code, proof) ||
               IS_WITHIN(at, hf_op_attest, proof, proof[5]);
    case HF_OP_CLASS_PUT:
        return at >= offsetof(struct hf_op_class_put, lifetime_ns);
    case HF_OP_MOVE_PLAN:
    case HF_OP_HOLD_PLAN:
        return IS_WITHIN(at, hf_op_move_plan, plan.mcc, plan.channel) ||
               IS_WITHIN(at, hf_op_hold_plan, plan.reference, terms.tolerance);
    case HF_OP_INCREMENT:
        return IS_WITHIN(at, hf_op_increment, acquirer, asset);
    case HF_OP_REVERSE:
        return IS_WITHIN(at, hf_op_reverse, acquirer, asset);
    case HF_OP_CLEAR:
        return IS_WITHIN(at, hf_op_clear, acquirer, asset) ||
               IS_WITHIN(at, hf_op_clear, mcc, clear_flags) ||
               IS_WITHIN(at, hf_op_clear, reference, reserved);
    case HF_OP_INSTRUMENT_PUT:
    case LONG_INSTRUMENT:
        return IS_WITHIN(at, hf_op_instrument_put, expires_ns, status);
    case HF_OP_AUTH:
        return IS_WITHIN(at, hf_op_auth, acquirer, asset) ||
               IS_WITHIN(at, hf_op_auth, card_expiry, class_number);
    case HF_OP_LIMIT_PUT:
        return IS_WITHIN(at, hf_op_limit_put, max_amount, length_ns) ||
               IS_WITHIN(at, hf_op_limit_put, filter, filter.reserved) ||
               at >= offsetof(struct hf_op_limit_put, filter.merchant);
    default:
        return false;
    }
}

/* Ids, amounts and assets are judged as a whole: their single bytes may have any value. */
static bool is_part_of_a_whole(uint8_t type, size_t at)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].type == type && at >= rows[i].offset && at < rows[i].offset + rows[i].size &&
            rows[i].size > 1 && rows[i].code != HF_CODE_OK)
            return true;
    }
    return false;
}

static void test_no_byte_is_forgotten(void **state)
{
    (void)state;
    for (size_t t = 0; t < BODY_TYPE_COUNT; t++) {
        uint8_t type = body_types[t];
        size_t end = type == HF_OP_CHAIN ? sizeof(struct hf_op_chain) /* its parts are of others */
                                         : good_operation(type)->op.header.length;
        for (size_t at = sizeof(struct hf_op_header); at < end; at++) {
            /* The first entry of a MOVE_PLAN begins where a HOLD_PLAN's terms do. */
            bool is_entry = type == HF_OP_MOVE_PLAN && at >= sizeof(struct hf_op_move_plan);
            bool is_refused = false;
            for (uint32_t value = 0; value < 256; value++) {
                union any *any = good_operation(type);
                any->bytes[at] = (uint8_t)value;
                is_refused |= hf_operation_check(&any->op, sizeof(*any)).code != HF_CODE_OK;
            }
            if (!is_entry && is_free_byte(type, at)) {
                assert_false(is_refused);
            } else if (!is_refused && !is_part_of_a_whole(type, at)) {
                fail_msg("%s, byte %zu", hf_operation_name((uint8_t)(type & ~LONG)), at);
            }
        }
    }
}

static bool is_other_length(uint8_t type, uint32_t length)
{
    return (type == HF_OP_ACCOUNT_PUT && length == 160) ||
           (type == LONG_ACCOUNT_PUT && length == 64) || (type == HF_OP_CAPTURE && length == 80) ||
           (type == LONG_CAPTURE && length == 64);
}

static void test_lengths(void **state)
{
    (void)state;
    for (size_t t = 0; t < BODY_TYPE_COUNT; t++) {
        uint8_t type = body_types[t];
        uint16_t right = good_operation(type)->op.header.length;
        assert_true(right >= HF_OPERATION_LENGTH_MIN);
        assert_true(right <= HF_OPERATION_LENGTH_MAX);
        assert_true(right >= hf_operation_length((uint8_t)(type & ~LONG)));
        for (uint32_t length = 0; length <= 400; length++) {
            union any *any = good_operation(type);
            any->op.header.length = (uint16_t)length;
            bool is_right = length == right || is_other_length(type, length);
            assert_verdict(&any->op, sizeof(*any), is_right ? HF_CODE_OK : HF_CODE_MALFORMED,
                           is_right ? HF_RULE_NONE : HF_RULE_LENGTH);
        }
        assert_verdict(&good_operation(type)->op, right - 1u, HF_CODE_MALFORMED, HF_RULE_LENGTH);
    }
}

/* Whatever part of the bytes is there: nothing beyond it is read (the sanitizers watch). */
static void test_bytes_at_hand(void **state)
{
    (void)state;
    for (size_t t = 0; t < BODY_TYPE_COUNT; t++) {
        const union hf_operation *op = &good_operation(body_types[t])->op;
        for (size_t available = 0; available <= op->header.length; available++) {
            uint8_t *bytes = malloc(available + 1);
            assert_non_null(bytes);
            uint8_t *part = available == 0 ? bytes : realloc(bytes, available);
            assert_non_null(part);
            memcpy(part, op, available);
            bool is_whole = available == op->header.length;
            assert_verdict((const union hf_operation *)(void *)part, available,
                           is_whole ? HF_CODE_OK : HF_CODE_MALFORMED,
                           is_whole ? HF_RULE_NONE : HF_RULE_LENGTH);
            free(part);
        }
    }
}

/* Random damage to lists and chains, with every byte behind the operation out of bounds: the
 * sanitizers watch, and counts that lie lead nowhere. */
static void test_damaged_lists(void **state)
{
    static const uint8_t listed[] = {HF_OP_MOVE_PLAN, HF_OP_HOLD_PLAN, HF_OP_EXPIRE, HF_OP_CHAIN,
                                     LONG_INSTRUMENT};
    uint64_t seed = UINT64_C(20261122);
    uint32_t good = 0;

    (void)state;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint32_t round = 0; round < 40000; round++) {
        union any *any = good_operation(listed[round % 5]);
        size_t length = any->op.header.length;
        for (uint32_t i = 0; i <= round % 3; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            size_t at = (size_t)(seed >> 33) % length;
            any->bytes[at] = (uint8_t)(seed >> 25);
        }
        uint8_t *part = malloc(length);
        assert_non_null(part);
        memcpy(part, any, length);
        struct hf_verdict verdict =
            hf_operation_check((const union hf_operation *)(void *)part, length);
        good += verdict.code == HF_CODE_OK;
        assert_true(verdict.entry <= HF_PLAN_CANDIDATES_MAX + HF_PLAN_DESTINATIONS_MAX);
        assert_true((verdict.code == HF_CODE_OK) == (verdict.rule == HF_RULE_NONE));
        free(part);
    }
    assert_in_range(good, 1, 39999);
}

static void test_types(void **state)
{
    static const uint8_t bodiless[] = {
        HF_OP_CLAIM, HF_OP_RULE_PUT, HF_OP_QUOTE_PUT, HF_OP_REDEEM, HF_OP_WINDOW_CLOSE,
    };
    /* Those that 80 bytes may be, as far as their length goes. */
    static const uint8_t of_80_bytes[] = {HF_OP_MOVE, HF_OP_CAPTURE, HF_OP_CHAIN, HF_OP_EXPIRE};

    (void)state;
    for (uint32_t type = 0; type < 256; type++) {
        union hf_operation op = good_short(HF_OP_MOVE);
        op.header.type = (uint8_t)type;
        if (memchr(bodiless, (int)type, sizeof(bodiless)) != NULL) {
            assert_verdict(&op, sizeof(op), HF_CODE_UNSUPPORTED, HF_RULE_TYPE);
            assert_int_equal(hf_operation_length((uint8_t)type), 0);
            assert_string_not_equal(hf_operation_name((uint8_t)type), "UNKNOWN");
        } else if (type == 0 || type > HF_OP_TYPE_MAX) {
            assert_verdict(&op, sizeof(op), HF_CODE_UNKNOWN_TYPE, HF_RULE_TYPE);
            assert_int_equal(hf_operation_length((uint8_t)type), 0);
            assert_string_equal(hf_operation_name((uint8_t)type), "UNKNOWN");
        } else if (memchr(of_80_bytes, (int)type, sizeof(of_80_bytes)) == NULL) {
            assert_verdict(&op, sizeof(op), HF_CODE_MALFORMED, HF_RULE_LENGTH);
        }
    }
    assert_string_equal(hf_operation_name(HF_OP_MOVE), "MOVE");
    assert_string_equal(hf_operation_name(HF_OP_INSTRUMENT_PUT), "INSTRUMENT_PUT");
    assert_string_equal(hf_operation_name(HF_OP_CLASS_PUT), "CLASS_PUT");
    assert_string_equal(hf_operation_name(HF_OP_REVERSE), "REVERSE");
    assert_string_equal(hf_operation_name(HF_OP_CLEAR), "CLEAR");
    assert_string_equal(hf_operation_name(HF_OP_INCREMENT), "INCREMENT");
}

static void test_flags_and_id(void **state)
{
    (void)state;
    for (size_t t = 0; t < BODY_TYPE_COUNT; t++) {
        uint8_t type = body_types[t];
        bool dry = type != HF_OP_QUERY && type != HF_OP_EXPIRE;
        for (uint32_t flags = 0; flags < 256; flags++) {
            union any *any = good_operation(type);
            any->op.header.flags = (uint8_t)flags;
            bool is_good = (flags & ~6u) == 0 && (dry || (flags & 2) == 0);
            assert_verdict(&any->op, sizeof(*any), is_good ? HF_CODE_OK : HF_CODE_UNSUPPORTED,
                           is_good ? HF_RULE_NONE : HF_RULE_FLAGS);
        }
        union any *any = good_operation(type);
        union hf_operation *op = &any->op;
        op->header.origin = UINT32_MAX; /* the node's business, and so is the deadline */
        op->header.deadline_ns = UINT64_MAX;
        assert_verdict(op, sizeof(*any), HF_CODE_OK, HF_RULE_NONE);
        op->header.id = (struct hf_id){0, 0};
        assert_verdict(op, sizeof(*any), HF_CODE_BAD_ID, HF_RULE_ID);
        op->header.id = (struct hf_id){UINT64_MAX, UINT64_MAX};
        assert_verdict(op, sizeof(*any), HF_CODE_BAD_ID, HF_RULE_ID);
        op->header.id = (struct hf_id){UINT64_MAX, 0};
        assert_verdict(op, sizeof(*any), HF_CODE_OK, HF_RULE_NONE);
    }
}

/* Steps 1.1 to 1.6: spoil all of them, then mend one after the other. */
static void test_order_of_steps(void **state)
{
    union any *any = good_operation(HF_OP_MOVE);
    union hf_operation *op = &any->op;

    (void)state;
    op->header = (struct hf_op_header){.length = 81, .type = 99, .flags = 0xff};
    op->move.payer = (struct hf_id){0, 0};
    assert_verdict(op, sizeof(*any), HF_CODE_MALFORMED, HF_RULE_LENGTH);
    op->header.length = 88;
    assert_verdict(op, sizeof(*any), HF_CODE_UNKNOWN_TYPE, HF_RULE_TYPE);
    op->header.type = HF_OP_CLAIM;
    assert_verdict(op, sizeof(*any), HF_CODE_UNSUPPORTED, HF_RULE_TYPE);
    op->header.type = HF_OP_MOVE;
    assert_verdict(op, sizeof(*any), HF_CODE_MALFORMED, HF_RULE_LENGTH);
    op->header.length = 80;
    assert_verdict(op, sizeof(*any), HF_CODE_UNSUPPORTED, HF_RULE_FLAGS);
    op->header.flags = 0;
    assert_verdict(op, sizeof(*any), HF_CODE_BAD_ID, HF_RULE_ID);
    op->header.id = (struct hf_id){1, 1};
    assert_verdict(op, sizeof(*any), HF_CODE_BAD_ID, HF_RULE_PAYER);
    op->move.payer = account_id(1);
    assert_verdict(op, sizeof(*any), HF_CODE_OK, HF_RULE_NONE);
}

static void test_whole_asset_code(void **state)
{
    union any *any = good_operation(HF_OP_ASSET_PUT);

    (void)state;
    memcpy(any->op.asset_put.code, "A1B2C3D4", 8);
    assert_verdict(&any->op, sizeof(*any), HF_CODE_OK, HF_RULE_NONE);
}

static void test_relatives(void **state)
{
    union any *any = good_operation(LONG_ACCOUNT_PUT);

    (void)state;
    any->op.account_put.parent = any->op.account_put.account;
    any->op.account_put.sink = any->op.account_put.account;
    assert_entry(any, HF_CODE_SAME_ACCOUNT, HF_RULE_PARENT, 0);
    any->op.account_put.parent = account_id(0);
    assert_entry(any, HF_CODE_SAME_ACCOUNT, HF_RULE_SINK, 0);
    any = good_operation(HF_OP_ACCOUNT_CLOSE);
    any->op.account_close.sink = any->op.account_close.account;
    assert_entry(any, HF_CODE_SAME_ACCOUNT, HF_RULE_SINK, 0);
}

/* What an ADJUST wants of amount and expiry depends on its mode. */
static void test_adjust(void **state)
{
    static const struct {
        uint8_t mode;
        uint64_t amount;
        uint64_t expires_ns;
        uint16_t code;
        uint8_t rule;
    } cases[] = {
        {HF_ADJUST_KEEP, 0, 5, HF_CODE_OK, HF_RULE_NONE},
        {HF_ADJUST_KEEP, 0, 0, HF_CODE_MALFORMED, HF_RULE_EXPIRY},
        {HF_ADJUST_KEEP, 1, 5, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
        {HF_ADJUST_KEEP, 1, 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
        {HF_ADJUST_RAISE, 1, 0, HF_CODE_OK, HF_RULE_NONE},
        {HF_ADJUST_RAISE, 0, 5, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
        {HF_ADJUST_LOWER, 0, 5, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
        {HF_ADJUST_SET, 0, 5, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
        {4, 0, 0, HF_CODE_MALFORMED, HF_RULE_STATUS},
        {4, HF_AMOUNT_ALL, 0, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        union any *any = good_operation(HF_OP_ADJUST);
        any->op.adjust.mode = cases[i].mode;
        any->op.adjust.amount = cases[i].amount;
        any->op.adjust.expires_ns = cases[i].expires_ns;
        assert_entry(any, cases[i].code, cases[i].rule, 0);
    }
}

/* What a LIMIT_PUT wants of its fields depends on its mode, and of a SET on its window. */
static const struct hf_op_limit_put limit_cases[] = {
    {.window = HF_LIMIT_OPERATION},
    {.window = HF_LIMIT_DAY},
    {.window = HF_LIMIT_DAY, .zone_minutes = -840},
    {.window = HF_LIMIT_WEEK, .start = 1, .zone_minutes = 840},
    {.window = HF_LIMIT_MONTH, .start = 1, .zone_minutes = -1},
    {.window = HF_LIMIT_MONTH, .start = 28},
    {.window = HF_LIMIT_ROLLING, .length_ns = 64},
    {.window = HF_LIMIT_ROLLING, .length_ns = HF_LIMIT_LENGTH_NS_MAX},
    {.window = HF_LIMIT_LIFETIME, .max_amount = UINT64_MAX, .max_count = UINT64_MAX},
    {.window = HF_LIMIT_LIFETIME, .filter = {.mccs = {5411}, .merchant = "A"}},
    {.mode = HF_LIMIT_RAISE},
    {.mode = HF_LIMIT_RAISE, .max_amount = UINT64_MAX, .max_count = UINT64_MAX},
    {.mode = HF_LIMIT_RESET},
};
static const struct hf_op_limit_put bad_limit_cases[] = {
    {.window = HF_LIMIT_OPERATION, .zone_minutes = 1},
    {.window = HF_LIMIT_OPERATION, .start = 1},
    {.window = HF_LIMIT_OPERATION, .length_ns = 64},
    {.window = HF_LIMIT_DAY, .start = 1},
    {.window = HF_LIMIT_DAY, .length_ns = 64},
    {.window = HF_LIMIT_WEEK},
    {.window = HF_LIMIT_WEEK, .start = 8},
    {.window = HF_LIMIT_MONTH},
    {.window = HF_LIMIT_MONTH, .start = 29},
    {.window = HF_LIMIT_ROLLING},
    {.window = HF_LIMIT_ROLLING, .length_ns = 63},
    {.window = HF_LIMIT_ROLLING, .length_ns = HF_LIMIT_LENGTH_NS_MAX + 1},
    {.window = HF_LIMIT_ROLLING, .length_ns = 64, .zone_minutes = 1},
    {.window = HF_LIMIT_ROLLING, .length_ns = 64, .start = 1},
    {.window = HF_LIMIT_LIFETIME, .zone_minutes = -1},
    {.window = HF_LIMIT_LIFETIME, .start = 1},
    {.mode = HF_LIMIT_RAISE, .window = HF_LIMIT_DAY},
    {.mode = HF_LIMIT_RAISE, .window = HF_LIMIT_ROLLING, .length_ns = 64},
    {.mode = HF_LIMIT_RAISE, .length_ns = 64},
    {.mode = HF_LIMIT_RAISE, .zone_minutes = 1},
    {.mode = HF_LIMIT_RAISE, .start = 1},
    {.mode = HF_LIMIT_RAISE, .filter = {.countries = {[3] = 1}}},
    {.mode = HF_LIMIT_RAISE, .filter = {.reserved = 1}},
    {.mode = HF_LIMIT_RESET, .window = HF_LIMIT_DAY},
    {.mode = HF_LIMIT_RESET, .max_amount = 1},
    {.mode = HF_LIMIT_RESET, .max_count = 1},
    {.mode = HF_LIMIT_RESET, .filter = {.merchant = {[15] = 1}}},
};

/* The check's verdict on a case, as a limit of this scope. */
static struct hf_verdict check_limit_case(const struct hf_op_limit_put *limit, uint8_t scope)
{
    static union any any;

    memset(&any, 0, sizeof any);
    any.op.limit_put = *limit;
    begin(&any, HF_OP_LIMIT_PUT, sizeof any.op.limit_put);
    any.op.limit_put.scope = scope;
    any.op.limit_put.scope_id = account_id(5);
    any.op.limit_put.number = 1;
    return hf_operation_check(&any.op, sizeof any);
}

static void test_limits(void **state)
{
    (void)state;
    for (uint8_t scope = HF_LIMIT_INSTRUMENT; scope <= HF_LIMIT_ACCOUNT; scope++) {
        for (size_t i = 0; i < sizeof limit_cases / sizeof limit_cases[0]; i++) {
            struct hf_verdict verdict = check_limit_case(&limit_cases[i], scope);
            if (verdict.code != HF_CODE_OK)
                fail_msg("good limit %zu: %s/%s", i, hf_code_name(verdict.code),
                         hf_rule_name(verdict.rule));
        }
        for (size_t i = 0; i < sizeof bad_limit_cases / sizeof bad_limit_cases[0]; i++) {
            struct hf_verdict verdict = check_limit_case(&bad_limit_cases[i], scope);
            if (verdict.code != HF_CODE_MALFORMED || verdict.rule != HF_RULE_LIMIT)
                fail_msg("bad limit %zu: %s/%s", i, hf_code_name(verdict.code),
                         hf_rule_name(verdict.rule));
        }
    }

    /* Whose id is bad, the scope says: an account's, where it says nothing. */
    union any *any = good_operation(HF_OP_LIMIT_PUT);
    any->op.limit_put.scope_id = account_id(0);
    any->op.limit_put.reserved = 1;
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_INSTRUMENT, 0);
    any->op.limit_put.scope = HF_LIMIT_ACCOUNT;
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 0);
    any->op.limit_put.scope = 3;
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 0);
    any->op.limit_put.scope_id = account_id(1);
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LIMIT, 0);
    any->op.limit_put.scope = 0;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LIMIT, 0);
    any->op.limit_put.scope = HF_LIMIT_ACCOUNT;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0);
}

/* A page of limits begins behind a number, and numbers end at 255. */
static void test_cursors(void **state)
{
    static const uint32_t most[] = {
        [HF_QUERY_ACCOUNT_HOLDS] = UINT32_MAX,
        [HF_QUERY_INSTRUMENT_LIMITS] = 255,
        [HF_QUERY_ACCOUNT_LIMITS] = 255,
        [HF_QUERY_INSTRUMENT_AUTHORISATIONS] = 1024,
    };

    (void)state;
    for (uint8_t subject = HF_QUERY_ACCOUNT; subject < sizeof most / sizeof most[0]; subject++) {
        union any *any = good_operation(HF_OP_QUERY);
        any->op.query.subject = subject;
        assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
        any->op.query.cursor = most[subject];
        assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
        any->op.query.cursor++;
        if (most[subject] != UINT32_MAX)
            assert_entry(any, HF_CODE_MALFORMED, HF_RULE_SUBJECT, 0);
    }
}

/* What is forced is neither partial nor nothing. All is found at the flags: fields between amount
 * and flags come first, those behind them later. */
static void test_forced(void **state)
{
    union any *any = good_operation(HF_OP_AUTH);
    struct hf_op_auth *auth = &any->op.auth;

    (void)state;
    auth->auth_flags = HF_AUTH_FORCED | HF_AUTH_ESTIMATED;
    auth->minimum = 1;
    assert_entry(any, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0);
    auth->class_number = HF_CLASSES;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_CLASS, 0);
    auth->class_number = 0;
    auth->auth_flags |= 0x80;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_STATUS, 0);
    auth->auth_flags = HF_AUTH_FORCED;
    auth->tolerance = HF_TOLERANCE_MAX + 1;
    auth->minimum = auth->amount;
    assert_entry(any, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0);
    auth->minimum = 0;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_HOLD, 0);
    auth->tolerance = 0;
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    auth->amount = 0;
    assert_entry(any, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 0);
    auth->auth_flags = HF_AUTH_ESTIMATED;
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
}

/* Nothing is about itself, nor about nothing: only a forced CLEAR may have no original. */
static void test_originals(void **state)
{
    static const struct {
        uint8_t type;
        size_t offset;
    } originals[] = {
        {HF_OP_INCREMENT, offsetof(struct hf_op_increment, original)},
        {HF_OP_REVERSE, offsetof(struct hf_op_reverse, original)},
        {HF_OP_CLEAR, offsetof(struct hf_op_clear, original)},
    };
    union any *any;

    (void)state;
    for (size_t i = 0; i < sizeof originals / sizeof originals[0]; i++) {
        any = good_operation(originals[i].type);
        memcpy(any->bytes + originals[i].offset, &any->op.header.id, sizeof any->op.header.id);
        assert_entry(any, HF_CODE_BAD_ID, HF_RULE_ORIGINAL, 0);
        any->op.header.id.lo++;
        assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    }
    any = good_operation(HF_OP_CLEAR);
    any->op.clear.original = account_id(0);
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_ORIGINAL, 0);
    any->op.clear.clear_flags = HF_CLEAR_FINAL;
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_ORIGINAL, 0);
    any->op.clear.asset = 0; /* stands before the flags, which say that there must be one */
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_ASSET, 0);
    any->op.clear.asset = USD;
    any->op.clear.clear_flags = HF_CLEAR_FORCED;
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    any->op.clear.token = account_id(0);
    any->op.clear.payee = account_id(0);
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
}

static void test_further_accounts(void **state)
{
    union any *any = good_operation(LONG_INSTRUMENT);
    struct hf_op_instrument_put *put = &any->op.instrument_put;

    (void)state;
    put->further[4] = put->account;
    assert_entry(any, HF_CODE_SAME_ACCOUNT, HF_RULE_ACCOUNT, 5);
    put->further[2] = put->further[1];
    assert_entry(any, HF_CODE_SAME_ACCOUNT, HF_RULE_ACCOUNT, 3);
    put->further[0] = account_id(0);
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_ACCOUNT, 1);
    put->further_count = 6; /* the count says how long it is, before any entry is looked at */
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0);
    put->further_count = 0;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0);
    put->header.length = sizeof *put;
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    put->further_count = 1;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0);
    put->reserved[4] = 1;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_RESERVED, 0);
}

/* One plan, changed in more than one place. */
struct plan_case {
    uint64_t amount;
    uint64_t minimum;
    uint32_t denominators[2];
    uint8_t method;
    uint8_t choose_max;
    uint8_t rules[4]; /* of three sources and one destination */
    uint64_t amounts[4];
    uint16_t code;
    uint8_t rule;
    uint8_t entry;
};

#define FIX HF_ENTRY_FIXED
#define RAT HF_ENTRY_RATIO
#define UPT HF_ENTRY_UP_TO
#define REM HF_ENTRY_REMAINING
#define EVE HF_ENTRY_EVERYTHING
#define ALL HF_AMOUNT_ALL

static const struct plan_case plan_cases[] = {
    {9, 0, {0, 0}, 0, 0, {FIX, FIX, FIX, FIX}, {3, 3, 3, 9}, OK_ROW},
    {9, 0, {0, 0}, 0, 0, {EVE, UPT, REM, UPT}, {0, 1, 0, ALL}, OK_ROW},
    {9, 0, {0, 0}, 0, 0, {FIX, REM, FIX, REM}, {3, 0, 3, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 2},
    {9, 0, {0, 0}, 0, 0, {FIX, FIX, REM, EVE}, {3, 3, 0, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 4},
    {9, 0, {0, 0}, 0, 0, {FIX, 0, FIX, REM}, {3, 0, 3, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 2},
    {9, 0, {0, 0}, 0, 0, {FIX, 6, FIX, REM}, {3, 0, 3, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 2},
    {9, 0, {0, 0}, 0, 0, {FIX, 6, FIX, REM}, {3, 1, 3, 0}, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 2},
    {9, 0, {0, 0}, 0, 0, {FIX, EVE, FIX, REM}, {3, 1, 3, 0}, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 2},
    /* ratios */
    {9, 0, {3, 4}, 0, 0, {RAT, RAT, RAT, RAT}, {1, 1, 1, 4}, OK_ROW},
    {9, 0, {3, 0}, 0, 0, {RAT, RAT, REM, REM}, {1, 1, 0, 0}, OK_ROW},
    {9, 0, {3, 0}, 0, 0, {RAT, RAT, RAT, REM}, {2, 1, 1, 0}, HF_CODE_UNBALANCED, HF_RULE_PLAN, 0},
    {9, 0, {3, 0}, 0, 0, {RAT, RAT, RAT, REM}, {1, 4, 1, 0}, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 2},
    {9, 0, {3, 0}, 0, 0, {RAT, RAT, RAT, REM}, {1, 0, 1, 0}, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 2},
    {9, 0, {0, 0}, 0, 0, {RAT, FIX, REM, REM}, {1, 1, 0, 0}, HF_CODE_BAD_AMOUNT, HF_RULE_PAYER, 1},
    {9, 0, {3, 0}, 0, 0, {FIX, FIX, REM, REM}, {1, 1, 0, 0}, HF_CODE_UNBALANCED, HF_RULE_PLAN, 0},
    {9, 0, {0, 3}, 0, 0, {FIX, FIX, REM, REM}, {1, 1, 0, 0}, HF_CODE_UNBALANCED, HF_RULE_PLAN, 0},
    {9, 0, {0, 3}, 0, 0, {FIX, FIX, REM, RAT}, {1, 1, 0, 4}, HF_CODE_BAD_AMOUNT, HF_RULE_PAYEE, 4},
    {9,
     0,
     {UINT32_MAX, 0},
     0,
     0,
     {RAT, RAT, RAT, REM},
     {UINT32_MAX, UINT32_MAX, 2, 0},
     HF_CODE_UNBALANCED,
     HF_RULE_PLAN,
     0},
    /* minimum */
    {9, 9, {0, 0}, 0, 0, {UPT, UPT, UPT, REM}, {ALL, 1, 1, 0}, OK_ROW},
    {9, 1, {0, 0}, 0, 0, {FIX, FIX, REM, UPT}, {1, 1, 0, 9}, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    {9, 1, {3, 0}, 0, 0, {FIX, FIX, REM, UPT}, {1, 1, 0, 9}, HF_CODE_UNBALANCED, HF_RULE_PLAN, 0},
    {9, 1, {0, 0}, 0, 0, {FIX, FIX, REM, EVE}, {1, 1, 0, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    {9, 1, {0, 0}, 1, 1, {UPT, UPT, UPT, REM}, {1, 1, 1, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    /* whatever the sources give */
    {ALL, 0, {0, 0}, 0, 0, {EVE, FIX, EVE, REM}, {0, 5, 0, 0}, OK_ROW},
    {ALL, 1, {0, 0}, 0, 0, {EVE, FIX, EVE, REM}, {0, 5, 0, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    {ALL, 0, {0, 0}, 0, 0, {EVE, UPT, EVE, REM}, {0, 5, 0, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 2},
    {ALL, 0, {0, 0}, 0, 0, {EVE, EVE, REM, REM}, {0, 0, 0, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 3},
    {ALL, 0, {3, 0}, 0, 0, {RAT, EVE, EVE, REM}, {1, 0, 0, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 1},
    /* smallest residual */
    {9, 0, {0, 0}, 1, 4, {UPT, UPT, UPT, REM}, {1, ALL, 1, 0}, OK_ROW},
    {9, 0, {0, 0}, 1, 0, {UPT, UPT, UPT, REM}, {1, 1, 1, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    {9, 0, {0, 0}, 1, 5, {UPT, UPT, UPT, REM}, {1, 1, 1, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 0},
    {9, 0, {0, 0}, 1, 4, {UPT, UPT, REM, REM}, {1, 1, 0, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 3},
    {9, 0, {0, 0}, 1, 4, {UPT, FIX, UPT, REM}, {1, 1, 1, 0}, HF_CODE_MALFORMED, HF_RULE_PLAN, 2},
};

static void test_plans(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plan_cases / sizeof plan_cases[0]; i++) {
        const struct plan_case *c = &plan_cases[i];
        union any *any = good_operation(HF_OP_MOVE_PLAN);
        struct hf_op_plan *plan = &any->op.move_plan.plan;
        any->op.header.length -= (uint16_t)sizeof(struct hf_op_entry);
        plan->destination_count = 1;
        plan->amount = c->amount;
        plan->minimum = c->minimum;
        plan->source_denominator = c->denominators[0];
        plan->destination_denominator = c->denominators[1];
        plan->method = c->method;
        plan->choose_max = c->choose_max;
        for (uint32_t k = 0; k < 4; k++)
            any->op.move_plan.entries[k] = entry_of(11 + k, c->rules[k], c->amounts[k]);
        struct hf_verdict verdict = hf_operation_check(&any->op, sizeof *any);
        if (verdict.code != c->code || verdict.rule != c->rule || verdict.entry != c->entry)
            fail_msg("plan %zu: %s/%s:%u", i, hf_code_name(verdict.code),
                     hf_rule_name(verdict.rule), verdict.entry);
    }
}

/* Nobody stands in a plan twice, on whichever side. */
static void test_entries_are_of_different_accounts(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        for (uint32_t k = i + 1; k < 5; k++) {
            union any *any = good_operation(HF_OP_MOVE_PLAN);
            struct hf_op_entry *entries = any->op.move_plan.entries;
            entries[k].account = entries[i].account;
            assert_entry(any, HF_CODE_SAME_ACCOUNT, k < 3 ? HF_RULE_PAYER : HF_RULE_PAYEE, k + 1);
        }
    }
}

static void test_largest_plans(void **state)
{
    union any *any = good_operation(HF_OP_MOVE_PLAN);
    struct hf_op_move_plan *move = &any->op.move_plan;

    (void)state;
    move->plan = (struct hf_op_plan){.amount = 9,
                                     .asset = USD,
                                     .method = HF_PLAN_SMALLEST_RESIDUAL,
                                     .choose_max = 4,
                                     .source_count = 64,
                                     .destination_count = 32};
    for (uint32_t i = 0; i < 96; i++)
        move->entries[i] = entry_of(100 + i, i == 95 ? HF_ENTRY_REMAINING : HF_ENTRY_UP_TO,
                                    i == 95 ? 0 : HF_AMOUNT_ALL);
    move->header.length = (uint16_t)(sizeof *move + 96 * sizeof move->entries[0]);
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    move->entries[95].account = account_id(100);
    assert_entry(any, HF_CODE_SAME_ACCOUNT, HF_RULE_PAYEE, 96);
    move->plan.source_count = 65;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_PLAN, 0);
}

static void test_hold_plans(void **state)
{
    union any *any = good_operation(HF_OP_HOLD_PLAN);
    struct hf_op_hold_plan *hold = &any->op.hold_plan;

    (void)state;
    /* The one destination takes all, or there is none. */
    hold->entries[3] = entry_of(14, HF_ENTRY_FIXED, 20);
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_PLAN, 4);
    any = good_operation(HF_OP_HOLD_PLAN);
    hold->plan.destination_count = 0;
    memmove(hold->entries + 3, hold->entries + 4, 2 * sizeof(struct hf_op_condition));
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0);
    hold->header.length -= (uint16_t)sizeof(struct hf_op_entry);
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    hold->plan.destination_denominator = 1;
    assert_entry(any, HF_CODE_UNBALANCED, HF_RULE_PLAN, 0);

    /* Without conditions none is required, and a hold may be soft. */
    any = good_operation(HF_OP_HOLD_PLAN);
    hold->terms = (struct hf_op_terms){.policy = HF_HOLD_SOFT};
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0);
    hold->header.length -= (uint16_t)(2 * sizeof(struct hf_op_condition));
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    hold->terms.required = 1;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_CONDITION, 0);
}

/* Each kind of condition wants some of code, time and bytes, and nothing of the others. */
static void test_conditions(void **state)
{
    enum { CODE = 1, TIME = 2, BYTES = 4 };
    static const struct {
        uint8_t kind;
        uint8_t must;
        uint8_t may;
    } kinds[] = {
        {HF_CONDITION_BLAKE2B, BYTES, 0},   {HF_CONDITION_SHA256, BYTES, 0},
        {HF_CONDITION_SIGNATURE, BYTES, 0}, {HF_CONDITION_REGION, BYTES, CODE},
        {HF_CONDITION_ORIGIN, 0, CODE},     {HF_CONDITION_NOT_BEFORE, TIME, 0},
        {HF_CONDITION_NOT_AFTER, TIME, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (uint8_t has = 0; has < 8; has++) {
            union any *any = good_operation(HF_OP_HOLD_PLAN);
            struct hf_op_condition condition = {
                .kind = kinds[i].kind,
                .code = (has & CODE) != 0 ? 7 : 0,
                .time_ns = (has & TIME) != 0 ? 7 : 0,
                .bytes = {[31] = (has & BYTES) != 0 ? 7 : 0},
            };
            memcpy((uint8_t *)(any->op.hold_plan.entries + 4) + sizeof condition, &condition,
                   sizeof condition);
            bool is_good = (has & ~kinds[i].may) == kinds[i].must;
            assert_entry(any, is_good ? HF_CODE_OK : HF_CODE_MALFORMED,
                         is_good ? HF_RULE_NONE : HF_RULE_CONDITION, is_good ? 0 : 2);
        }
    }
}

/* The checks of a chain's second operation, in their order: all spoilt, then mended one by one. */
static void test_chained_operations(void **state)
{
    union any *any = good_operation(HF_OP_CHAIN);
    struct hf_id chain_id = any->op.header.id;
    struct hf_id first_id =
        ((const struct hf_op_header *)(const void *)any->op.chain.operations)->id;
    union hf_operation *inner =
        (union hf_operation *)(void *)(any->op.chain.operations + sizeof(struct hf_op_move));
    struct hf_id own_id = inner->header.id;

    (void)state;
    inner->header.length = 96;
    inner->header.flags = HF_OP_RETURN_BALANCES;
    inner->header.origin = 1;
    inner->header.id = (struct hf_id){0, 0};
    inner->hold.amount = 0;
    inner->header.type = HF_OP_CHAIN;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 2); /* beyond the chain */
    inner->header.length = 80;
    inner->header.type = 99;
    assert_entry(any, HF_CODE_UNKNOWN_TYPE, HF_RULE_TYPE, 2);
    inner->header.type = HF_OP_CLAIM;
    assert_entry(any, HF_CODE_UNSUPPORTED, HF_RULE_TYPE, 2);
    inner->header.type = HF_OP_CHAIN;
    assert_entry(any, HF_CODE_NESTED_CHAIN, HF_RULE_CHAIN, 2);
    inner->header.type = HF_OP_QUERY;
    assert_entry(any, HF_CODE_UNSUPPORTED, HF_RULE_TYPE, 2);
    inner->header.type = HF_OP_EXPIRE;
    assert_entry(any, HF_CODE_UNSUPPORTED, HF_RULE_TYPE, 2);
    inner->header.type = HF_OP_HOLD;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 2); /* not a HOLD's */
    inner->header.length = 88;
    assert_entry(any, HF_CODE_UNSUPPORTED, HF_RULE_FLAGS, 2);
    inner->header.flags = 0;
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_ID, 2);
    inner->header.id = chain_id;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_CHAIN, 2);
    inner->header.origin = 0;
    inner->header.deadline_ns = 1;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_CHAIN, 2);
    inner->header.deadline_ns = 0;
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_CHAIN, 2);
    inner->header.id = first_id;
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_CHAIN, 2);
    inner->header.id = own_id;
    assert_entry(any, HF_CODE_BAD_AMOUNT, HF_RULE_AMOUNT, 2);
    inner->hold.amount = 1;
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    any->op.chain.count = 1;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 0); /* bytes left over */
    any->op.chain.count = 3;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 3);
}

/* A refusal inside a plan inside a chain names the plan. */
static void test_chained_plan(void **state)
{
    static union any plan;
    union any *any;

    (void)state;
    make_move_plan(&plan);
    any = good_operation(HF_OP_CHAIN);
    union hf_operation *inner = chain_add(any, &plan.op);
    assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    inner->move_plan.entries[4].account = account_id(0);
    assert_entry(any, HF_CODE_BAD_ID, HF_RULE_PAYEE, 3);
    inner->move_plan.plan.source_count = 4;
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_LENGTH, 3);
}

static void test_longest_chain(void **state)
{
    static union any plan;
    union any *any;

    (void)state;
    begin(&plan, HF_OP_MOVE_PLAN, sizeof plan.op.move_plan);
    plan.op.move_plan.plan =
        (struct hf_op_plan){.amount = 9, .asset = USD, .source_count = 1, .destination_count = 1};
    any = good_operation(HF_OP_CHAIN);
    any->op.chain.count = 0;
    any->op.header.length = sizeof any->op.chain;
    for (uint32_t i = 0; i < 33; i++) {
        plan.op.header.id = new_id(&pen);
        plan.op.move_plan.entries[0] = entry_of(1, HF_ENTRY_REMAINING, 0);
        plan.op.move_plan.entries[1] = entry_of(2, HF_ENTRY_REMAINING, 0);
        plan.op.header.length =
            (uint16_t)(sizeof plan.op.move_plan + 2 * sizeof(struct hf_op_entry));
        chain_add(any, &plan.op);
        if (i < 32)
            assert_entry(any, HF_CODE_OK, HF_RULE_NONE, 0);
    }
    assert_entry(any, HF_CODE_MALFORMED, HF_RULE_CHAIN, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_first_bad_field_decides),
        cmocka_unit_test(test_no_byte_is_forgotten),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_bytes_at_hand),
        cmocka_unit_test(test_damaged_lists),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_flags_and_id),
        cmocka_unit_test(test_order_of_steps),
        cmocka_unit_test(test_whole_asset_code),
        cmocka_unit_test(test_relatives),
        cmocka_unit_test(test_adjust),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_cursors),
        cmocka_unit_test(test_forced),
        cmocka_unit_test(test_originals),
        cmocka_unit_test(test_further_accounts),
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_entries_are_of_different_accounts),
        cmocka_unit_test(test_largest_plans),
        cmocka_unit_test(test_hold_plans),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_chained_operations),
        cmocka_unit_test(test_chained_plan),
        cmocka_unit_test(test_longest_chain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
