"""What a user is about to buy. A cart reserves nothing: several people may have the same item in theirs."""
