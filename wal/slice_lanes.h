/* BLAKE2b (RFC 7693) of several slices at once, one in each lane of a vector: the text of slice.c's
 * functions, read by it once for each width. Needs
 *
 *   LANES         how many
 *   LANES_TARGET  the processor they are made for
 *   LANES_NAME(x) x with the width in its name
 *   LANES_OF(f)   f(0), f(1), ... one for each lane */

typedef uint64_t LANES_NAME(vector) __attribute__((vector_size(8 * LANES)));

/* What a lane has still to hash. */
struct LANES_NAME(input) {
    const uint8_t *next[LANES];
    size_t left[LANES];
};

#define VECTOR       LANES_NAME(vector)
#define ROTATE(x, n) (((x) >> (n)) | ((x) << (64 - (n))))
#define MIX(a, b, c, d, x, y)       \
    v[a] += v[b] + m[x];            \
    v[d] = ROTATE(v[d] ^ v[a], 32); \
    v[c] += v[d];                   \
    v[b] = ROTATE(v[b] ^ v[c], 24); \
    v[a] += v[b] + m[y];            \
    v[d] = ROTATE(v[d] ^ v[a], 16); \
    v[c] += v[d];                   \
    v[b] = ROTATE(v[b] ^ v[c], 63)
#define ROUND(r)                                   \
    MIX(0, 4, 8, 12, sigma[r][0], sigma[r][1]);    \
    MIX(1, 5, 9, 13, sigma[r][2], sigma[r][3]);    \
    MIX(2, 6, 10, 14, sigma[r][4], sigma[r][5]);   \
    MIX(3, 7, 11, 15, sigma[r][6], sigma[r][7]);   \
    MIX(0, 5, 10, 15, sigma[r][8], sigma[r][9]);   \
    MIX(1, 6, 11, 12, sigma[r][10], sigma[r][11]); \
    MIX(2, 7, 8, 13, sigma[r][12], sigma[r][13]);  \
    MIX(3, 4, 9, 14, sigma[r][14], sigma[r][15])
/* Word i of the blocks at hand: of each lane its own. */
#define WORD_OF(k) word_at(blocks[k] + at)
#define WORDS(i)          \
    at = 8 * (i);         \
    m[i] = (VECTOR)       \
    {                     \
        LANES_OF(WORD_OF) \
    }
#define WORDS_4(i)  \
    WORDS(i);       \
    WORDS((i) + 1); \
    WORDS((i) + 2); \
    WORDS((i) + 3)

/* One block of each lane, blocks[k] the k-th one's. `count`: bytes hashed so far, these included;
 * `last`: all ones where it is the last one. */
LANES_TARGET static inline void LANES_NAME(compress)(VECTOR h[8],
                                                     const uint8_t *const blocks[LANES],
                                                     const VECTOR *count, const VECTOR *last)
{
    VECTOR m[16];
    VECTOR v[16];
    size_t at = 0;

    WORDS_4(0);
    WORDS_4(4);
    WORDS_4(8);
    WORDS_4(12);
    for (int i = 0; i < 8; i++) {
        v[i] = h[i];
        v[i + 8] = (VECTOR){0} + initial[i];
    }
    v[12] ^= *count;
    v[14] ^= *last;
    ROUND(0);
    ROUND(1);
    ROUND(2);
    ROUND(3);
    ROUND(4);
    ROUND(5);
    ROUND(6);
    ROUND(7);
    ROUND(8);
    ROUND(9);
    ROUND(0);
    ROUND(1);
    for (int i = 0; i < 8; i++)
        h[i] ^= v[i] ^ v[i + 8];
}

/* The blocks from `done` on, of which some are their lane's last; a lane that has ended stays as it
 * is. */
LANES_TARGET static void LANES_NAME(finish)(VECTOR h[8], struct LANES_NAME(input) * input,
                                            uint64_t done)
{
    uint8_t tails[LANES][BLOCK_SIZE];
    const uint8_t *blocks[LANES];

    memset(tails, 0, sizeof tails);
    for (bool more = true; more;) {
        VECTOR before[8];
        VECTOR count = {0};
        VECTOR last = {0};
        VECTOR ended = {0};

        more = false;
        for (int k = 0; k < LANES; k++) {
            size_t left = input->left[k];
            blocks[k] = input->next[k];
            if (left == 0) {
                ended[k] = UINT64_MAX;
                blocks[k] = tails[k];
            } else if (left <= BLOCK_SIZE) {
                memcpy(tails[k], input->next[k], left);
                blocks[k] = tails[k];
                count[k] = done + left;
                last[k] = UINT64_MAX;
                input->left[k] = 0;
            } else {
                count[k] = done + BLOCK_SIZE;
                input->next[k] += BLOCK_SIZE;
                input->left[k] -= BLOCK_SIZE;
                more = true;
            }
        }
        memcpy(before, h, sizeof before);
        LANES_NAME(compress)(h, blocks, &count, &last);
        for (int i = 0; i < 8; i++)
            h[i] = (before[i] & ended) | (h[i] & ~ended);
        done += BLOCK_SIZE;
    }
}

/* Hashes what the lanes have: at least one of them something, those that have nothing for nothing.
 */
LANES_TARGET static void LANES_NAME(hash)(struct LANES_NAME(input) * input,
                                          uint8_t hashes[][HF_SLICE_HASH_SIZE], uint32_t hash_count)
{
    VECTOR h[8];
    const VECTOR none = {0};
    size_t least = SIZE_MAX;
    uint64_t done = 0;

    for (int i = 0; i < 8; i++)
        h[i] = none + (initial[i] ^ parameters[i]);
    for (int k = 0; k < LANES; k++)
        least = input->left[k] < least ? input->left[k] : least;
    for (; least > done + BLOCK_SIZE; done += BLOCK_SIZE) {
        const VECTOR count = none + (done + BLOCK_SIZE);
        LANES_NAME(compress)(h, input->next, &count, &none);
        for (int k = 0; k < LANES; k++) {
            input->next[k] += BLOCK_SIZE;
            input->left[k] -= BLOCK_SIZE;
        }
    }
    LANES_NAME(finish)(h, input, done);
    for (uint32_t k = 0; k < hash_count; k++) {
        for (int i = 0; i < HF_SLICE_HASH_SIZE / 8; i++) {
            const uint64_t word = h[i][k];
            memcpy(hashes[k] + 8 * i, &word, sizeof word);
        }
    }
}

/* All slices of `length` bytes, LANES at a time. */
LANES_TARGET static void LANES_NAME(hash_all)(const uint8_t *bytes, size_t length,
                                              uint8_t hashes[][HF_SLICE_HASH_SIZE])
{
    while (length != 0) {
        struct LANES_NAME(input) input;
        uint32_t count = 0;

        for (int k = 0; k < LANES; k++) {
            input.next[k] = bytes;
            input.left[k] = length < HF_SLICE_SIZE ? length : HF_SLICE_SIZE;
            count += length != 0;
            bytes += input.left[k];
            length -= input.left[k];
        }
        LANES_NAME(hash)(&input, hashes, count);
        hashes += count;
    }
}

#undef VECTOR
#undef ROTATE
#undef MIX
#undef ROUND
#undef WORD_OF
#undef WORDS
#undef WORDS_4
#undef LANES
#undef LANES_TARGET
#undef LANES_NAME
#undef LANES_OF
