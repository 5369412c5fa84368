"""The reception desk: queue, one-screen intake, the 13-column book, receipts, paper post."""
