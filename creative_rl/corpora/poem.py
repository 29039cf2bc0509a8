"""Two short poems that texts are compared with where nobody gives others: public domain, in lower
case."""

TYGER = tuple(
    [
        "tyger tyger, burning bright,",
        "in the forests of the night;",
        "what immortal hand or eye,",
        "could frame thy fearful symmetry?",
        "in what distant deeps or skies",
        "burnt the fire of thine eyes?",
        "on what wings dare he aspire?",
        "what the hand, dare seize the fire?",
        "and what shoulder, and what art,",
        "could twist the sinews of thy heart?",
        "and when thy heart began to beat,",
        "what dread hand? and what dread feet?",
        "what the hammer? what the chain?",
        "in what furnace was thy brain?",
        "what the anvil? what dread grasp",
        "dare its deadly terrors clasp?",
        "when the stars threw down their spears,",
        "and water'd heaven with their tears,",
        "did he smile his work to see?",
        "did he who made the lamb make thee?",
        "tyger tyger, burning bright,",
        "in the forests of the night;",
        "what immortal hand or eye,",
        "dare frame thy fearful symmetry?",
    ]
)
"""William Blake, The Tyger (Songs of Experience, 1794)."""

LAMB = tuple(
    [
        "little lamb who made thee?",
        "dost thou know who made thee?",
        "gave thee life and bid thee feed,",
        "by the stream and o'er the mead;",
        "gave thee clothing of delight,",
        "softest clothing, wooly, bright;",
        "gave thee such a tender voice,",
        "making all the vales rejoice!",
        "little lamb who made thee?",
        "dost thou know who made thee?",
        "little lamb i'll tell thee,",
        "little lamb i'll tell thee!",
        "he is called by thy name,",
        "for he calls himself a lamb:",
        "he is meek and he is mild,",
        "he became a little child:",
        "i a child and thou a lamb,",
        "we are called by his name.",
        "little lamb god bless thee.",
        "little lamb god bless thee.",
    ]
)
"""William Blake, The Lamb (Songs of Innocence, 1789)."""
