/* One world, from its founding to its verdict. */
#include "sim.h"

#define NETWORK_DEPTH    8192
#define CONVERGE_MOST_MS 6000 /* without faults; it takes a few hundred */

static void make_world(struct sim *sim, uint64_t seed, FILE *to)
{
    const struct hf_sim_options options = {
        .seed = seed ^ 0x4e7, .payload_max = 1500, .depth = NETWORK_DEPTH};
    const struct hf_address address = {.ip = 0x0a0000fe, .udp = 4600};
    struct hf_fault fault;
    memset(sim, 0, offsetof(struct sim, truth.store));
    sim->seed = seed;
    sim->trace.to = to;
    sim->now_ms = 1;
    sim->arbiter.random = seed ^ 0xa4b17e4;
    sim->network = hf_sim_network_create(&options);
    if (sim->network == NULL ||
        hf_port_sim_open(sim->network, &address, &sim->stranger, &fault) != HF_STATUS_OK) {
        sim_wrong(sim, "no memory for the network");
    }
    sim_faults_choose(sim);
    for (uint32_t n = 0; n < SIM_NODES; n++) {
        sim_life_make(sim, n);
    }
    for (uint32_t i = 0; i < SIM_CLIENTS; i++) {
        sim_client_open(sim, i);
    }
}

static void end_world(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_CLIENTS; i++) {
        sim_client_close(&sim->clients[i]);
    }
    for (uint32_t n = 0; n < SIM_NODES; n++) {
        sim_life_end(&sim->nodes[n]);
    }
    sim->stranger->maker->destroy(sim->stranger);
    hf_sim_network_destroy(sim->network);
}

/* A millisecond of everybody's, in an order of chance. */
static void pass_time(struct sim *sim)
{
    sim->now_ms++;
    hf_sim_network_step(sim->network);
    sim_faults_poll(sim);
    sim_arbiter_poll(sim);
    uint32_t first = (uint32_t)sim_below(&sim->faults.random, SIM_NODES);
    for (uint32_t n = 0; n < SIM_NODES; n++) {
        sim_node_poll(&sim->nodes[(first + n) % SIM_NODES]);
    }
    for (uint32_t i = 0; i < SIM_CLIENTS; i++) {
        sim_client_poll(&sim->clients[i]);
    }
}

static void converge(struct sim *sim)
{
    uint64_t until_ms = sim->now_ms + CONVERGE_MOST_MS;
    while (!sim_verdict_is_calm(sim)) {
        if (sim->now_ms == until_ms) {
            sim_wrong(sim, "nothing goes wrong any more, and it does not come to rest");
        }
        pass_time(sim);
    }
}

uint64_t sim_run(uint64_t seed, FILE *to)
{
    static struct sim world; /* many megabytes */
    struct sim *sim = &world;
    make_world(sim, seed, to);
    while (sim->now_ms < sim->faults.mix.fault_ms) {
        pass_time(sim);
    }
    sim_faults_end(sim);
    converge(sim);
    for (uint32_t i = 0; i < SIM_CLIENTS; i++) {
        sim_client_ask_again(&sim->clients[i]);
    }
    converge(sim);
    sim_verdict(sim);
    end_world(sim);
    return sim->trace.hash;
}
