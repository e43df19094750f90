"""The flow brief of one fund on one day: what a market note says, computed."""
