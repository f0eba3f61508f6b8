"""The words that the data is made of."""

from __future__ import annotations

FIRST_NAMES = [
    "Ada",
    "Ben",
    "Carla",
    "Dario",
    "Elif",
    "Finn",
    "Grace",
    "Hugo",
    "Ines",
    "Jonas",
    "Kaya",
    "Leo",
    "Mira",
    "Nils",
    "Olga",
    "Pavel",
    "Quinn",
    "Rosa",
    "Sami",
    "Tara",
]
LAST_NAMES = [
    "Abel",
    "Brandt",
    "Costa",
    "Dubois",
    "Eriksson",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ivanov",
    "Jensen",
    "Kaya",
    "Lindt",
    "Moreau",
    "Novak",
    "Okafor",
]
CITIES = (
    ("Oakland", "CA", "94607"),
    ("Portland", "OR", "97201"),
    ("Seattle", "WA", "98101"),
    ("San José", "CA", "95112"),
    ("Reno", "NV", "89501"),
    ("Boise", "ID", "83702"),
)
STREETS = ("Mission Street", "Grand Avenue", "Lake Road", "Pine Street", "2nd Avenue", "Harbor Way")

BRAND_STARTS = [
    "Alder",
    "Brisa",
    "Córdoba",
    "Dune",
    "Ember",
    "Fable",
    "Glen",
    "Harbor",
    "Isla",
    "Juniper",
    "Kestrel",
    "Lumen",
    "Maison",
    "Nord",
    "Orchard",
    "Prairie",
    "Quill",
    "Rowan",
    "Sable",
    "Tivoli",
    "Umbra",
    "Vela",
    "Willow",
    "Xylo",
    "Yarrow",
    "Zoé",
    "Åsa",
    "Bléu",
    "Cinder",
    "Delta",
]
BRAND_ENDS = (
    "& Co|Atelier|Denim|Studio|Works|Republic|House|Supply|Line|Collective|Goods|Lab|Bros|Sisters|No. 5|Outfitters"
)
BRAND_END_WORDS = tuple(BRAND_ENDS.split("|"))

ADJECTIVES = [
    "vintage",
    "classic",
    "relaxed",
    "fitted",
    "cropped",
    "oversized",
    "tailored",
    "pleated",
    "ribbed",
    "quilted",
    "embroidered",
    "striped",
    "floral",
    "plain",
    "checked",
    "draped",
    "belted",
    "padded",
    "lightweight",
    "chunky",
]
MATERIALS = [
    "cotton",
    "linen",
    "wool",
    "silk",
    "denim",
    "leather",
    "suede",
    "velvet",
    "cashmere",
    "jersey",
    "corduroy",
    "satin",
    "tweed",
    "nylon",
    "bamboo",
]
COLOURS = [
    "black",
    "white",
    "navy",
    "grey",
    "beige",
    "brown",
    "red",
    "burgundy",
    "pink",
    "orange",
    "yellow",
    "green",
    "olive",
    "teal",
    "blue",
    "purple",
]
TAGS = [
    "vintage",
    "sustainable",
    "designer",
    "office",
    "party",
    "summer",
    "winter",
    "holiday",
    "basics",
    "petite",
    "plus-size",
    "maternity",
    "outdoor",
    "sport",
    "handmade",
    "limited",
]

LETTER_SIZES = ("XXS", "XS", "S", "M", "L", "XL", "XXL")
SHOE_SIZES = tuple(str(size) for size in range(35, 47))
CHILD_SIZES = ("2T", "3T", "4T", "5", "6", "7", "8", "10", "12", "14")
NO_SIZES = (None,)

#: department -> section -> (kinds, sizes)
TREE = {
    "Women": {
        "Dresses": (("Wrap dress", "Maxi dress", "Shirt dress", "Evening gown"), LETTER_SIZES),
        "Tops": (("Blouse", "T-shirt", "Tank top", "Sweater", "Cardigan"), LETTER_SIZES),
        "Bottoms": (("Jeans", "Skirt", "Trousers", "Shorts"), LETTER_SIZES),
        "Outerwear": (("Coat", "Blazer", "Trench coat", "Parka"), LETTER_SIZES),
        "Shoes": (("Boots", "Sneakers", "Heels", "Sandals", "Loafers"), SHOE_SIZES),
        "Bags": (("Tote", "Clutch", "Crossbody bag", "Backpack"), NO_SIZES),
    },
    "Men": {
        "Tops": (("Shirt", "Polo", "T-shirt", "Hoodie", "Sweater"), LETTER_SIZES),
        "Bottoms": (("Jeans", "Chinos", "Shorts"), LETTER_SIZES),
        "Outerwear": (("Jacket", "Overcoat", "Vest", "Parka"), LETTER_SIZES),
        "Shoes": (("Boots", "Sneakers", "Oxfords"), SHOE_SIZES),
    },
    "Kids": {
        "Girls": (("Dress", "Top", "Leggings", "Jacket"), CHILD_SIZES),
        "Boys": (("Shirt", "Trousers", "Hoodie", "Jacket"), CHILD_SIZES),
        "Baby": (("Romper", "Onesie", "Blanket"), NO_SIZES),
    },
    "Accessories": {
        "Jewellery": (("Necklace", "Bracelet", "Earrings", "Ring"), NO_SIZES),
        "Small things": (("Scarf", "Belt", "Hat", "Gloves", "Sunglasses"), NO_SIZES),
    },
}

SENTENCES = (
    "Worn a handful of times.",
    "From a smoke-free home.",
    "A small mark inside the hem, not seen when worn.",
    "Bought for a wedding and kept in its bag since.",
    "True to size.",
    "Runs a little small.",
    "The colour is softer than in the pictures.",
    "All buttons and zips work.",
    "Washed cold, never tumble-dried.",
    "A favourite that deserves a second life – „très chic“.",
)
CENTS = ("00", "50", "99", "95", "25")
