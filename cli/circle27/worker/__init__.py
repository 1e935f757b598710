"""The worker: runs due deadlines, carries events from the outbox to the gateway, opens the slots of the days ahead."""
