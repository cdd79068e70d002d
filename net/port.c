/* Addresses as people write them. */
#include "port.h"

#include <assert.h>
#include <stdio.h>

/* Reads a decimal number of at most `most` from `*text` and moves past it. No sign, no blanks, no
 * needless zeros (some programs take those for octal). */
static bool parse_number(const char **text, uint32_t most, uint32_t *number)
{
    const char *next = *text;
    if (*next < '0' || *next > '9')
        return false;
    if (next[0] == '0' && next[1] >= '0' && next[1] <= '9')
        return false;
    uint32_t value = 0;
    for (; *next >= '0' && *next <= '9'; next++) {
        value = value * 10 + (uint32_t)(*next - '0');
        if (value > most)
            return false;
    }
    *text = next;
    *number = value;
    return true;
}

bool hf_address_parse(const char *text, struct hf_address *address)
{
    assert(text != NULL);
    assert(address != NULL);
    uint32_t ip = 0;
    for (int part = 0; part < 4; part++) {
        uint32_t number;
        if (part > 0 && *text++ != '.')
            return false;
        if (!parse_number(&text, 255, &number))
            return false;
        ip = ip << 8 | number;
    }
    uint32_t udp = address->udp;
    if (*text == ':') {
        text++;
        if (!parse_number(&text, UINT16_MAX, &udp))
            return false;
    }
    if (*text != '\0')
        return false;
    address->ip = ip;
    address->udp = (uint16_t)udp;
    return true;
}

size_t hf_address_format(const struct hf_address *address, char text[HF_ADDRESS_TEXT_SIZE])
{
    assert(address != NULL);
    int length = snprintf(text, HF_ADDRESS_TEXT_SIZE, "%u.%u.%u.%u:%u", address->ip >> 24,
                          address->ip >> 16 & 0xff, address->ip >> 8 & 0xff, address->ip & 0xff,
                          address->udp);
    assert(length > 0 && length < HF_ADDRESS_TEXT_SIZE);
    return (size_t)length;
}
