//! Several replicas, one of which writes: whatever becomes of the leader, of the way to the API server, or of clocks, the sandbox's journal
//! shows that no write was made but by whoever held the lease.

mod commands;
mod leases;
mod replica;
mod scenarios;
