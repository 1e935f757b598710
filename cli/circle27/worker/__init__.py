"""The one worker: carries events from the outbox to the gateway, and opens the slots of the days ahead."""
