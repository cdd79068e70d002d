#include "random.h"

#include <assert.h>
#include <math.h>

/* The weight function h(x) = x^-s, its integral H and the inverse of H. Both use expm1 and log1p
 * quotients that stay exact as s comes near 1, where the integral turns into a logarithm. */

static double log1p_over(double x)
{
    return fabs(x) > 1e-8 ? log1p(x) / x : 1 - x * (0.5 - x * (1.0 / 3 - 0.25 * x));
}

static double expm1_over(double x)
{
    return fabs(x) > 1e-8 ? expm1(x) / x : 1 + x * 0.5 * (1 + x * (1.0 / 3) * (1 + 0.25 * x));
}

static double weight(const struct hf_zipf *zipf, double x)
{
    return exp(-zipf->exponent * log(x));
}

static double integral(const struct hf_zipf *zipf, double x)
{
    double log_x = log(x);
    return expm1_over((1 - zipf->exponent) * log_x) * log_x;
}

static double integral_inverse(const struct hf_zipf *zipf, double y)
{
    double t = y * (1 - zipf->exponent);
    if (t < -1)
        t = -1; /* only rounding can bring it here */
    return exp(log1p_over(t) * y);
}

void hf_zipf_init(struct hf_zipf *zipf, uint64_t count, double exponent)
{
    assert(count > 0);
    assert(exponent > 0);
    zipf->count = count;
    zipf->exponent = exponent;
    zipf->integral_first = integral(zipf, 1.5) - 1;
    zipf->integral_last = integral(zipf, (double)count + 0.5);
    zipf->shortcut = 2 - integral_inverse(zipf, integral(zipf, 2.5) - weight(zipf, 2));
}

uint64_t hf_zipf_next(const struct hf_zipf *zipf, struct hf_random *random)
{
    for (;;) {
        double u = zipf->integral_last +
                   hf_random_unit(random) * (zipf->integral_first - zipf->integral_last);
        double x = integral_inverse(zipf, u);
        double nearest = floor(x + 0.5);
        if (nearest < 1)
            nearest = 1;
        if (nearest > (double)zipf->count)
            nearest = (double)zipf->count;
        if (nearest - x <= zipf->shortcut ||
            u >= integral(zipf, nearest + 0.5) - weight(zipf, nearest))
            return (uint64_t)nearest;
    }
}
