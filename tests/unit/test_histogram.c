/* The load generator's instruments: quantiles against an exact sort, zipf against its formula. */
#include "tools/holdfast/histogram.h"
#include "tools/holdfast/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void check_against_sort(uint64_t *values, size_t count)
{
    struct hf_histogram *histogram = calloc(1, sizeof *histogram);
    assert_non_null(histogram);
    for (size_t i = 0; i < count; i++)
        hf_histogram_add(histogram, values[i]);
    qsort(values, count, sizeof *values, compare);

    static const double quantiles[] = {0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        size_t rank = (size_t)ceil(quantiles[i] * (double)count);
        uint64_t exact = values[rank == 0 ? 0 : rank - 1];
        uint64_t found = hf_histogram_quantile(histogram, quantiles[i]);
        assert_true(found >= exact);
        assert_true(found - exact <= exact / 100);
    }
    assert_int_equal(histogram->max, values[count - 1]);
    assert_int_equal(histogram->count, count);
    free(histogram);
}

static void test_quantiles_match_a_sort(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    const uint64_t seed = 20240607;
    print_message("seed %llu\n", (unsigned long long)seed);
    struct hf_random random = {seed};
    uint64_t *values = malloc(COUNT * sizeof *values);
    assert_non_null(values);

    for (size_t i = 0; i < COUNT; i++) /* every magnitude */
        values[i] = hf_random_next(&random) >> hf_random_below(&random, 64);
    check_against_sort(values, COUNT);
    for (size_t i = 0; i < COUNT; i++) /* latencies with a tail */
        values[i] = (uint64_t)(20000.0 / pow(hf_random_unit(&random) + 1e-9, 0.7));
    check_against_sort(values, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = i % 300;
    check_against_sort(values, COUNT);
    values[0] = UINT64_MAX;
    check_against_sort(values, 1);
    values[0] = 0;
    check_against_sort(values, 1);
    free(values);
}

static void test_every_boundary_lies_in_its_own_bucket(void **state)
{
    (void)state;
    struct hf_histogram *histogram = calloc(1, sizeof *histogram);
    assert_non_null(histogram);
    assert_int_equal(hf_histogram_quantile(histogram, 0.5), 0);
    for (unsigned bit = 0; bit < 64; bit++) {
        for (int offset = -1; offset <= 1; offset++) {
            uint64_t value = (UINT64_C(1) << bit) + (uint64_t)offset;
            memset(histogram, 0, sizeof *histogram);
            hf_histogram_add(histogram, value);
            hf_histogram_add(histogram, UINT64_MAX);
            uint64_t found = hf_histogram_quantile(histogram, 0.5);
            assert_true(found >= value);
            assert_true(found - value <= value / 128);
        }
    }
    free(histogram);
}

/* Frequencies of the first ranks within five standard deviations of their probabilities. */
static void check_zipf(uint64_t count, double exponent, uint64_t seed)
{
    enum { DRAWS = 400000, RANKS = 50 };
    struct hf_zipf zipf;
    hf_zipf_init(&zipf, count, exponent);
    struct hf_random random = {seed};
    double total = 0;
    for (uint64_t rank = 1; rank <= count; rank++)
        total += pow((double)rank, -exponent);
    uint64_t seen[RANKS + 1] = {0};
    for (size_t i = 0; i < DRAWS; i++) {
        uint64_t rank = hf_zipf_next(&zipf, &random);
        assert_in_range(rank, 1, count);
        if (rank <= RANKS)
            seen[rank]++;
    }
    for (uint64_t rank = 1; rank <= RANKS && rank <= count; rank++) {
        double probability = pow((double)rank, -exponent) / total;
        double deviation = sqrt(DRAWS * probability * (1 - probability));
        double expected = DRAWS * probability;
        if (fabs((double)seen[rank] - expected) > 5 * deviation + 1)
            fail_msg("rank %llu of %llu, exponent %g: %llu, expected %.0f +- %.0f",
                     (unsigned long long)rank, (unsigned long long)count, exponent,
                     (unsigned long long)seen[rank], expected, deviation);
    }
}

static void test_zipf_follows_its_formula(void **state)
{
    (void)state;
    check_zipf(1000, 0.99, 1);
    check_zipf(100000, 0.99, 2);
    check_zipf(1000, 1.0, 3);
    check_zipf(1000, 0.5, 4);
    check_zipf(1000, 2.5, 5);
    check_zipf(2, 0.99, 6);
    check_zipf(1, 0.99, 7);
}

static void test_random_below_covers_its_range(void **state)
{
    (void)state;
    struct hf_random random = {42};
    uint64_t seen[7] = {0};
    for (size_t i = 0; i < 70000; i++)
        seen[hf_random_below(&random, 7)]++;
    for (size_t i = 0; i < 7; i++)
        assert_in_range(seen[i], 9500, 10500);
    assert_int_equal(hf_random_below(&random, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles_match_a_sort),
        cmocka_unit_test(test_every_boundary_lies_in_its_own_bucket),
        cmocka_unit_test(test_zipf_follows_its_formula),
        cmocka_unit_test(test_random_below_covers_its_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
