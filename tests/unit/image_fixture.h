/* What tests of the image share: pictures of ledgers, taken and looked at, and forged. */
#ifndef HF_TESTS_UNIT_IMAGE_FIXTURE_H
#define HF_TESTS_UNIT_IMAGE_FIXTURE_H

#include "card_fixture.h"

#include "engine/image.h"

/* A whole image in memory. */
struct picture {
    uint8_t *bytes;
    size_t length;
};

/* Takes the image in buffers of `step` bytes. */
static inline struct picture take_picture(const struct fixture *f, size_t step)
{
    struct hf_image_writer writer;
    struct picture picture = {.length = 0};
    size_t size = hf_image_length(f->ledger);
    size_t filled;

    picture.bytes = malloc(size + step);
    assert_non_null(picture.bytes);
    hf_image_write_begin(&writer, f->ledger);
    do {
        filled = hf_image_write(&writer, picture.bytes + picture.length, step);
        picture.length += filled;
        assert_true(picture.length <= size);
    } while (filled == step);
    assert_int_equal(hf_image_write(&writer, picture.bytes + picture.length, step), 0);
    assert_int_equal(picture.length, size);
    return picture;
}

/* Feeds an image to an empty ledger in buffers of `step` bytes. */
static inline enum hf_status load(struct fixture *f, const uint8_t *bytes, size_t length,
                                  size_t step)
{
    struct hf_image_reader reader;
    enum hf_status status = HF_STATUS_OK;

    hf_image_read_begin(&reader, f->ledger);
    for (size_t at = 0; at < length; at += step) {
        status = hf_image_read(&reader, bytes + at, step < length - at ? step : length - at);
        if (status != HF_STATUS_OK)
            break;
    }
    enum hf_status end = hf_image_read_end(&reader);
    if (status != HF_STATUS_OK)
        assert_int_equal(end, status); /* once wrong, wrong for ever */
    return end;
}

static inline void assert_same_state(const struct fixture *a, const struct fixture *b)
{
    struct hf_ledger_counts in = counts_of(a);
    struct hf_ledger_counts out = counts_of(b);

    assert_true(hf_id_equal(hf_ledger_digest(a->ledger), hf_ledger_digest(b->ledger)));
    assert_int_equal(hf_ledger_place(a->ledger), hf_ledger_place(b->ledger));
    assert_int_equal(hf_ledger_timestamp_ns(a->ledger), hf_ledger_timestamp_ns(b->ledger));
    assert_int_equal(in.accounts, out.accounts);
    assert_int_equal(in.instruments, out.instruments);
    assert_int_equal(in.holds_open, out.holds_open);
    assert_int_equal(in.holds_resolved, out.holds_resolved);
    assert_int_equal(in.terms, out.terms);
    assert_int_equal(in.parts, out.parts);
    assert_int_equal(in.conditions, out.conditions);
    assert_int_equal(in.selectors, out.selectors);
    assert_int_equal(in.limits, out.limits);
    assert_int_equal(in.rolling, out.rolling);
    assert_int_equal(in.remembered, out.remembered);
    assert_int_equal(in.floor_ms, out.floor_ms);
    for (uint64_t number = 1; number <= 4; number++) {
        struct hf_account_view left = view_account(a, number);
        struct hf_account_view right = view_account(b, number);
        assert_memory_equal(&left, &right, sizeof(left));
    }
}

/* Any single bit of header, head and trailer, and one of each byte between: refused. */
static inline void assert_bits_refused(void (*open)(struct fixture *f),
                                       const struct hf_ledger_limits *limits)
{
    struct fixture f;

    open(&f);
    struct picture picture = take_picture(&f, 4096);
    size_t size = hf_ledger_memory_size(limits);
    struct fixture copy;
    open_fixture(&copy, limits);
    for (size_t bit = 0; bit < picture.length * 8; bit++) {
        bool is_frame = bit / 8 < 192 || bit / 8 >= picture.length - 64;
        if (!is_frame && bit % 8 != bit / 8 % 8)
            continue;
        memset(copy.memory, 0, size);
        copy.ledger = hf_ledger_create(limits, copy.memory, size);
        picture.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum hf_status status = load(&copy, picture.bytes, picture.length, 1 << 20);
        if (status == HF_STATUS_OK)
            fail_msg("bit %zu of byte %zu got in", bit % 8, bit / 8);
        if (bit < 12 * 8)
            assert_int_equal(status, HF_STATUS_WRONG_FORMAT);
        picture.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    close_fixture(&copy);
    free(picture.bytes);
    close_fixture(&f);
}

/* Walks a whole image's records, counts them into the digest, and seals the trailer anew. */
static inline void seal(struct picture *picture)
{
    struct hf_image_header header;
    struct hf_digest digest = {{0, 0}};
    const uint8_t *next = picture->bytes + sizeof(header);

    memcpy(&header, picture->bytes, sizeof(header));
    const struct {
        uint64_t count;
        uint32_t size;
        enum hf_image_kind kind;
    } parts[] = {
        {1, 64, HF_IMAGE_HEAD},
        {1, 128, HF_IMAGE_CLASSES},
        {header.assets, 64, HF_IMAGE_ASSET},
        {header.accounts, 64, HF_IMAGE_ACCOUNT},
        {header.terms, 192, HF_IMAGE_TERMS},
        {header.instruments, 128, HF_IMAGE_INSTRUMENT},
        {header.selectors, 128, HF_IMAGE_SELECTOR},
        {header.limits, 128, HF_IMAGE_LIMIT},
        {header.rolling, 1088, HF_IMAGE_ROLLING},
        {header.answers, 64, HF_IMAGE_ANSWER},
        {header.holds_ended + header.holds_open, 256, HF_IMAGE_HOLD},
        {header.parts, 64, HF_IMAGE_PART},
        {header.conditions, 128, HF_IMAGE_CONDITION},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        for (uint64_t n = 0; n < parts[i].count; n++) {
            hf_digest_add(&digest, parts[i].kind, next, parts[i].size);
            next += parts[i].size;
        }
    }
    assert_ptr_equal(next, picture->bytes + picture->length - 64);
    memcpy(picture->bytes + picture->length - 64 + 16, &digest, sizeof(digest));
}

/* Where the first record of each section lies, by section. */
static inline size_t offset_of(const struct picture *picture, enum hf_image_section section)
{
    struct hf_image_header header;

    memcpy(&header, picture->bytes, sizeof(header));
    const uint64_t sizes[] = {
        [HF_IMAGE_SECTION_HEADER] = sizeof(header),
        [HF_IMAGE_SECTION_HEAD] = 64,
        [HF_IMAGE_SECTION_CLASSES] = 128,
        [HF_IMAGE_SECTION_ASSETS] = header.assets * 64,
        [HF_IMAGE_SECTION_ACCOUNTS] = header.accounts * 64,
        [HF_IMAGE_SECTION_TERMS] = header.terms * 192,
        [HF_IMAGE_SECTION_INSTRUMENTS] = header.instruments * 128,
        [HF_IMAGE_SECTION_SELECTORS] = header.selectors * 128,
        [HF_IMAGE_SECTION_LIMITS] = header.limits * 128,
        [HF_IMAGE_SECTION_ROLLING] = header.rolling * 1088,
        [HF_IMAGE_SECTION_ANSWERS] = header.answers * 64,
        [HF_IMAGE_SECTION_ENDED] = header.holds_ended * 256,
        [HF_IMAGE_SECTION_OPEN] = header.holds_open * 256,
        [HF_IMAGE_SECTION_PARTS] = header.parts * 64,
        [HF_IMAGE_SECTION_CONDITIONS] = header.conditions * 128,
    };
    size_t at = 0;
    for (uint32_t i = 0; i < section; i++)
        at += sizes[i];
    return at;
}

/* One field of the first record of a section, set to a value that makes no sense there (of an id
 * both halves). */
struct forgery {
    enum hf_image_section section;
    size_t offset;
    size_t size;
    uint64_t value;
};

#define IN(type, member) offsetof(struct type, member), sizeof(((struct type *)0)->member)

/* Each forgery alone, rightly sealed. */
static inline void assert_all_refused(void (*open)(struct fixture *f),
                                      const struct hf_ledger_limits *limits,
                                      const struct forgery forgeries[], size_t count)
{
    struct fixture f;

    open(&f);
    struct picture picture = take_picture(&f, 4096);
    for (size_t i = 0; i < count; i++) {
        const struct forgery *forgery = &forgeries[i];
        struct picture forged = {malloc(picture.length), picture.length};
        struct fixture copy;
        assert_non_null(forged.bytes);
        memcpy(forged.bytes, picture.bytes, picture.length);
        seal(&forged);
        assert_memory_equal(forged.bytes, picture.bytes, picture.length); /* it seals rightly */
        uint8_t *field = forged.bytes + offset_of(&forged, forgery->section) + forgery->offset;
        for (size_t at = 0; at < forgery->size; at += sizeof(forgery->value)) {
            size_t part = forgery->size - at < 8 ? forgery->size - at : 8;
            memcpy(field + at, &forgery->value, part);
        }
        seal(&forged);
        open_fixture(&copy, limits);
        enum hf_status status = load(&copy, forged.bytes, forged.length, 4096);
        if (status != HF_STATUS_CORRUPT)
            fail_msg("forgery %zu: status %d", i, (int)status);
        close_fixture(&copy);
        free(forged.bytes);
    }
    free(picture.bytes);
    close_fixture(&f);
}

#endif
